"""The catalogue with a user's own entries, and how it is searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from investigator.capacity import MachineKind
from investigator.catalog import (
    Benchmark,
    CloudModel,
    Machine,
    ModelSpec,
    cloud_model_from,
    find_machines,
    find_models,
    load_benchmarks,
    load_cloud_models,
    load_machines,
    load_models,
    machine_from,
    model_from,
)
from investigator.errors import ConfigProblem, UsageProblem
from investigator.tomltext import read_toml

#: Tables of the configuration that this part reads; others belong to other commands.
_KINDS = ("machines", "models", "cloud_models")
#: What a user may leave out of an entry.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "machines": {"aliases": [], "bandwidth_verified": False, "sources": []},
    "models": {"tags": [], "architectures": [], "hf": "", "geometry": "unverified", "sources": []},
    "cloud_models": {"window_verified": False, "price_verified": False, "sources": [], "vendor": ""},
}
_UNDER = r"(?:tool\.investigator\.)?"
_WEIGHTS_DEFAULTS: Mapping[str, Any] = {"verified": False}


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


@dataclass(frozen=True, slots=True)
class Privacy:
    """Calls that never leave the machine: paths or projects, sessions, and agents, as globs (`*` and `?`)."""

    paths: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models, machines, cloud models and published speeds; an own entry replaces a built-in one of the same id."""

    models: tuple[ModelSpec, ...]
    machines: tuple[Machine, ...]
    cloud_models: tuple[CloudModel, ...]
    benchmarks: tuple[Benchmark, ...]
    privacy: Privacy = Privacy()
    own_machines: tuple[str, ...] = ()

    def model(self, text: str) -> ModelSpec:
        """The one model that `text` means. UsageProblem with the nearest entries when it is none or several."""
        found = find_models(text, self.models)
        return _only(found, text, "model", [m.id for m in search_models(self, text)])

    def machine(self, text: str, memory_gib: float | None = None) -> Machine:
        """The one machine that `text` means. UsageProblem with the nearest entries when it is none or several."""
        exact = [m for m in self.machines if m.name.lower() == text.strip().lower()]
        found = tuple(exact) or find_machines(text, memory_gib, self.machines)
        return _only(found, text, "machine", [m.id for m in search_machines(self, text)])


def load_catalogue(config: Path | None = None) -> Catalogue:
    """The built-in entries and those of a TOML file; of a pyproject.toml those under [tool.investigator].

    Raises ConfigProblem with the line of the entry that is wrong.
    """
    own: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    privacy = Privacy()
    if config is not None:
        text, data = read_toml(config)
        if config.name == "pyproject.toml":
            data = data.get("tool", {}).get("investigator", {})
        for kind in _KINDS:
            own[kind] = [_entry(kind, row, n, config, text) for n, row in enumerate(data.get(kind, []))]
        privacy = _privacy(data.get("private", {}), config, text)
    return Catalogue(
        models=_merged(load_models(), own["models"]),
        machines=_merged(load_machines(), own["machines"]),
        cloud_models=_merged(load_cloud_models(), own["cloud_models"]),
        benchmarks=load_benchmarks(),
        privacy=privacy,
        own_machines=tuple(machine.id for machine in own["machines"]),
    )


def search_models(catalogue: Catalogue, text: str) -> tuple[ModelSpec, ...]:
    """Models with every word of `text` in their id, tags or names; all for an empty text."""
    return tuple(m for m in catalogue.models if _has_words(text, (m.id, *m.tags, m.hf, *m.architectures)))


def search_machines(catalogue: Catalogue, text: str) -> tuple[Machine, ...]:
    """Machines with every word of `text` in their id, name or aliases; all for an empty text."""
    return tuple(m for m in catalogue.machines if _has_words(text, (m.id, m.name, *m.aliases)))


def _has_words(text: str, names: Sequence[str]) -> bool:
    known = " ".join(names).lower()
    return all(word in known for word in re.findall(r"[a-z0-9.]+", text.lower()))


def _only(found: Sequence[Entry], text: str, what: str, near: Sequence[str]) -> Entry:
    if len(found) == 1:
        return found[0]
    names = [each.id for each in found] or list(near)
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    hint = f"one of: {listed}" if names else f"search with: investigator {what}s WORD, or add it to the configuration"
    message = f"{text!r} means several {what}s" if found else f"no {what} of the catalogue is called {text!r}"
    raise UsageProblem(message, hint=hint)


def _merged(built_in: Sequence[Entry], own: Sequence[Entry]) -> tuple[Entry, ...]:
    ids = {each.id for each in own}
    return (*own, *(each for each in built_in if each.id not in ids))


def _entry(kind: str, row: Any, number: int, path: Path, text: str) -> Any:
    make: Callable[[Mapping[str, Any]], Any] = {
        "machines": machine_from,
        "models": model_from,
        "cloud_models": cloud_model_from,
    }[kind]
    try:
        values = {**_DEFAULTS[kind], **row}
        if kind == "machines":
            values.setdefault("name", values["id"])
            MachineKind(values["kind"])
            float(values["bandwidth_gb_s"])
        if kind == "models":
            values["weights"] = [{**_WEIGHTS_DEFAULTS, **each} for each in values["weights"]]
        return make(values)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"key {error} is missing" if isinstance(error, KeyError) else str(error).split("__init__() ")[-1]
        raise ConfigProblem(
            f"entry {number + 1} of [[{kind}]]: {what}",
            hint=f"`investigator {kind.replace('cloud_', '')} --json` shows what an entry holds",
            path=path,
            line=_line_of(text, rf"\[\[\s*{_UNDER}{kind}\s*\]\]", number),
        ) from error


def _privacy(row: Any, path: Path, text: str) -> Privacy:
    line = _line_of(text, rf"\[\s*{_UNDER}private\s*\]", 0)
    known = tuple(Privacy.__dataclass_fields__)
    if not isinstance(row, dict) or set(row) - set(known):
        raise ConfigProblem("[private] knows only: " + ", ".join(known), hint="remove the others", path=path, line=line)
    if not all(isinstance(value, list) and all(isinstance(each, str) for each in value) for value in row.values()):
        raise ConfigProblem("[private] holds lists of texts", hint='paths = ["*/secret/*"]', path=path, line=line)
    return Privacy(**{key: tuple(value) for key, value in row.items()})


def _line_of(text: str, head: str, number: int) -> int | None:
    """Line of the `number`-th table with this head; None where it is written another way."""
    lines = [no for no, line in enumerate(text.splitlines(), 1) if re.match(rf"\s*{head}", line)]
    return lines[number] if number < len(lines) else None
