"""Configuration files of agents: a table of paths (configs/<id>.yaml) says which key is which setting."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from investigator.formats.base import Side, SourceInfo
from investigator.formats.config_syntax import scan_toml, scan_yaml
from investigator.formats.document import DocumentParser, Text
from investigator.formats.json5 import Document, Path, Scalar, scan_json5
from investigator.formats.masking import MASK, is_secret_name, masked
from investigator.formats.rows import At, Rows
from investigator.yamltext import load as load_yaml

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}
_TEXT_CHARS = 500
#: Heads of files are cut at 64 KiB; no TOML or YAML configuration is that long.
_LONGEST_CONFIG = 65_536


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table. path: '{name}' takes a key as a value, '[]' is any list index, '*' any key."""

    path: tuple[str, ...]
    setting: str
    scale: float
    model: str | None
    provider_from: str | None
    split: bool


@dataclass(frozen=True, slots=True)
class ConfigTable:
    """A file of configs/: how the file is recognised and what its keys mean.

    only_at, never_at: patterns of paths (fnmatch), for programs that read the same keys from other places.
    """

    id: str
    title: str
    agent: str
    versions: str
    names: tuple[str, ...]
    folders: tuple[str, ...]
    signature: Mapping[tuple[str, ...], float]
    settings: tuple[Setting, ...]
    syntax: str = "json"
    only_at: tuple[str, ...] = ()
    never_at: tuple[str, ...] = ()

    def may_be_at(self, path: PurePosixPath) -> bool:
        whole = f"/{path}"
        wanted = not self.only_at or any(fnmatchcase(whole, pattern) for pattern in self.only_at)
        return wanted and not any(fnmatchcase(whole, pattern) for pattern in self.never_at)


def _split_path(text: str) -> tuple[str, ...]:
    return tuple(text.split("."))


def _setting(raw: Mapping[str, Any]) -> Setting:
    return Setting(
        path=_split_path(raw["path"]),
        setting=raw["setting"],
        scale=raw.get("scale", 1.0),
        model=raw.get("model"),
        provider_from=raw.get("provider_from"),
        split=raw.get("split", False),
    )


@cache
def config_table(format_id: str) -> ConfigTable:
    """The table of one configuration format."""
    raw = load_yaml(files(__package__).joinpath(f"configs/{format_id}.yaml").read_text("utf-8"))
    return ConfigTable(
        id=format_id,
        title=raw["title"],
        agent=raw["agent"],
        versions=raw["versions"],
        names=tuple(raw["names"]),
        folders=tuple(raw.get("folders", ())),
        signature={_split_path(path): weight for path, weight in raw["signature"].items()},
        settings=tuple(map(_setting, raw["settings"])),
        syntax=raw.get("syntax", "json"),
        only_at=tuple(raw.get("only_at", ())),
        never_at=tuple(raw.get("never_at", ())),
    )


def match_path(pattern: tuple[str, ...], path: Path, prefix: bool = False) -> dict[str, str] | None:
    """The names that `pattern` takes from `path`, or None. With `prefix`, the path may go on."""
    if len(path) != len(pattern) and not (prefix and len(path) > len(pattern)):
        return None
    taken: dict[str, str] = {}
    for want, part in zip(pattern, path, strict=False):
        if isinstance(part, int):
            if want != "[]":
                return None
        elif want.startswith("{"):
            taken[want[1:-1]] = part
        elif want not in ("*", part):
            return None
    return taken


def written_path(path: Path) -> str:
    """A path as people write it: models.providers.ollama.models[0].contextWindow."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).lstrip(".")


@dataclass(frozen=True, slots=True)
class ConfigReader:
    """Turns a configuration's scalars into `agent_config` facts; secrets are dropped before anything is kept."""

    table: ConfigTable

    def read(self, document: Text, rows: Rows) -> At | None:
        scanned = scan(document.text, self.table.syntax)
        values = scanned.by_path()
        for scalar in scanned.scalars:
            for setting in self.table.settings:
                taken = match_path(setting.path, scalar.path)
                if taken is not None and scalar.value is not None:
                    self._add(setting, scalar, taken, values, document.at(scalar.position), rows)
                    break
        return document.at(scanned.error_position) if scanned.error else None

    def _add(
        self,
        setting: Setting,
        scalar: Scalar,
        taken: Mapping[str, str],
        values: Mapping[Path, object],
        at: At,
        rows: Rows,
    ) -> None:
        provider, model = taken.get("provider"), taken.get("model")
        if setting.model is not None:
            model = _text(values.get((*_model_entry(scalar.path), setting.model)))
        if setting.provider_from is not None:
            provider = _text(values.get(_split_path(setting.provider_from)))
        if setting.setting.endswith("_model") and isinstance(scalar.value, str):
            named, slash, rest = scalar.value.partition("/")
            provider, model = (named, rest) if setting.split and slash else (provider, scalar.value)
        rows.add(
            "agent_config",
            at,
            agent=self.table.agent,
            provider=provider,
            model=model,
            setting=setting.setting,
            key=written_path(scalar.path),
            value=_written(scalar),
            value_num=number_of(scalar.value, setting.scale),
        )


def _model_entry(path: Path) -> Path:
    """The list entry that describes a model: the path up to and including the last index."""
    last = max(index for index, part in enumerate(path) if isinstance(part, int))
    return path[: last + 1]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _written(scalar: Scalar) -> str:
    if any(isinstance(part, str) and is_secret_name(part) for part in scalar.path):
        return MASK
    if isinstance(scalar.value, bool):
        return "true" if scalar.value else "false"
    return masked(str(scalar.value))[:_TEXT_CHARS]


def number_of(value: object, scale: float = 1.0) -> float | None:
    """A number, or a text like "30m" or "1500" in seconds, times `scale`; booleans as 0 and 1; None for other texts."""
    if isinstance(value, bool | int | float):
        return round(float(value) * scale, 9) if abs(value) < 1e15 else None
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    return round(float(found.group(1)) * _SECONDS[found.group(2)] * scale, 9) if found else None


@dataclass(frozen=True, slots=True)
class ConfigFormat:
    """A configuration format, entirely described by its table."""

    id: str

    @property
    def title(self) -> str:
        return config_table(self.id).title

    @property
    def side(self) -> Side:
        return "agent"

    @property
    def versions(self) -> str:
        return config_table(self.id).versions

    def recognise(self, head: bytes, path: str) -> float:
        table, place = config_table(self.id), PurePosixPath(path.replace("\\", "/"))
        if not table.may_be_at(place) or not _may_hold(head, table):
            return 0.0
        scanned = scanned_head(head, table.syntax)
        if not _is_configuration(scanned, len(head)):
            return 0.0
        found = [weight for pattern, weight in table.signature.items() if _has(scanned, pattern)]
        sure = max(0.0, min(0.95, sum(found)))
        named = place.name in table.names and any(folder in str(place.parent) for folder in table.folders or ("",))
        return min(0.97, sure + 0.05 + (0.4 if table.folders else 0.0)) if named and (found or table.folders) else sure

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, ConfigReader(config_table(self.id)))


def scan(text: str, syntax: str) -> Document:
    """The scalars of a configuration in `syntax`: json (with comments), toml or yaml."""
    return {"toml": scan_toml, "yaml": scan_yaml}.get(syntax, scan_json5)(text)


@lru_cache(maxsize=4)
def scanned_head(head: bytes, syntax: str = "json") -> Document:
    """The scalars of a file's head; several formats look at the same one."""
    return scan(head.decode("utf-8", "replace"), syntax)


def _may_hold(head: bytes, table: ConfigTable) -> bool:
    """Whether a file may be such a configuration: cheap, to spare logs and transcripts the scan."""
    if table.syntax == "json":
        return may_be_document(head)
    if may_be_document(head) or len(head) >= _LONGEST_CONFIG:
        return False
    mark = rb"[ \t]*=|[\].]" if table.syntax == "toml" else rb"[ \t]*:"
    keys = b"|".join(re.escape(path[0].encode()) for path in table.signature if not path[0].startswith("{"))
    return re.search(rb"(?m)^[\[ \t]*(?:" + keys + rb")(?:" + mark + rb")", head) is not None


def may_be_document(head: bytes) -> bool:
    """Whether a file may be one JSON document: cheap, to spare JSON lines the scan."""
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    first, newline, rest = begin.partition(b"\n")
    lines = newline and first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")
    return begin.startswith((b"{", b"/", b"[{", b"[\n", b"[\r\n", b"[ ")) and not lines


def _is_configuration(scanned: Document, size: int) -> bool:
    """A document, or the begin of one that is longer than the head; JSON lines have text after the first document."""
    return scanned.error is None or (scanned.error != "text after the document" and size > 200)


def _has(scanned: Document, pattern: tuple[str, ...]) -> bool:
    return any(match_path(pattern, scalar.path, prefix=True) is not None for scalar in scanned.scalars)
