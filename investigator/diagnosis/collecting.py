"""What to collect, as a command, so that a rule that could not be evaluated can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from investigator.rulebook.compile import Compiled
from investigator.yamltext import load as load_yaml

Engine = Literal["ollama", "llama-server"]


@dataclass(frozen=True, slots=True)
class _Table:
    """collect.yaml: name → command by engine, in the order to show them; column → names of commands."""

    commands: Mapping[str, Mapping[str, str | None] | str]
    of_column: Mapping[str, tuple[str, ...]]

    def command(self, name: str, engine: Engine) -> str | None:
        found = self.commands[name]
        return found if isinstance(found, str) else found[engine]


@cache
def _table() -> _Table:
    read = load_yaml(files(__package__).joinpath("collect.yaml").read_text(encoding="utf-8"))
    of_column = {column: tuple(need["collect"]) for need in read["needs"] for column in need["columns"]}
    return _Table(read["commands"], of_column)


def command(rule: Compiled, reasons: Iterable[str], engine: Engine) -> str | None:
    """One line for the shell that makes known what `reasons` name: columns of the rule, separated by commas.

    None when nothing is known that would help. `engine`: whose server it is.
    """
    missing = dict.fromkeys(name.strip() for reason in reasons for name in reason.split(","))
    wanted = {name for column in missing for name in _names(rule, column)}
    told = (_table().command(name, engine) for name in _table().commands if name in wanted)
    return "; ".join(dict.fromkeys(filter(None, told))) or None


def _names(rule: Compiled, column: str) -> tuple[str, ...]:
    """The commands for a column of `match` or a step: by its name, the view's name for it, or what it is made of."""
    of_column = _table().of_column
    origin = rule.lineage.get(column)
    for known in (column, origin.column if origin else column):
        if known in of_column:
            return of_column[known]
    if column not in rule.steps:
        return ()
    return tuple(dict.fromkeys(name for inner in rule.steps[column].columns for name in _names(rule, inner)))
