"""The rows of a test inside a rule file: `given` or `like` another test, then `change` and `repeat`."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from investigator.casefile.derived import derived_tables
from investigator.rulebook.compile import Compiled
from investigator.rulebook.lineage import VIEW_KEYS
from investigator.rulebook.model import Repeat, RuleTest, duration_s

#: A time of a test's row: `t0`, `t0+5m`, `t0 - 1h`.
TIME = re.compile(r"t0(?:\s*([+-])\s*(.+))?")

Rows: TypeAlias = dict[str, list[dict[str, Any]]]


class TestSetupError(Exception):
    """A test that cannot be set up; the text says why."""


def rows_of(compiled: Compiled, test: RuleTest) -> Rows:
    """The rows of a test, `like` resolved, `change` and `repeat` applied. Raises TestSetupError."""
    chain = _chain(compiled, test)
    rows: Rows = copy.deepcopy(dict(chain[0].given or {}))
    for each in chain:
        for path, value in each.change.items():
            _apply(rows, path, value)
        for path, repeat in each.repeat.items():
            view, number = _row(rows, path)
            rows[view][number : number + 1] = _copies(rows[view][number], VIEW_KEYS.get(view), repeat)
    return rows


def offset_s(text: str) -> float | None:
    """Seconds from `t0` of a time in a row; None when it is none. Raises ValueError for a wrong duration."""
    match = TIME.fullmatch(text)
    if match is None:
        return None
    seconds = duration_s(match[2].strip()) if match[2] else 0.0
    return -seconds if match[1] == "-" else seconds


def _chain(compiled: Compiled, test: RuleTest) -> list[RuleTest]:
    """A test and those it is like, the one with the rows first."""
    chain = [test]
    while chain[0].like is not None:
        wanted = chain[0].like
        if wanted in [each.name for each in chain]:
            names = [each.name for each in reversed(chain)]
            raise TestSetupError(f"`like` goes round in a circle: {' → '.join([*names, wanted])}")
        chain.insert(0, next(each for each in compiled.rule.tests if each.name == wanted))
    return chain


def _apply(rows: Rows, path: str, value: Any) -> None:
    """`attempts.0.timeout_s` sets a column, `attempts.1` a whole row (one more is added at the end; null removes)."""
    view, *rest = path.split(".")
    if view not in derived_tables() or not rest or not rest[0].isdigit() or len(rest) > 2:
        raise TestSetupError(f"change: `{path}` is not view.row or view.row.column")
    table, number = rows.setdefault(view, []), int(rest[0])
    if number == len(table) and len(rest) == 1 and isinstance(value, dict):
        table.append(dict(value))
    elif number >= len(table):
        raise TestSetupError(f"change: {view} has {len(table)} rows, there is no row {number}")
    elif len(rest) == 2:
        table[number][rest[1]] = value
    elif value is None:
        del table[number]
    else:
        table[number] = {**table[number], **value}


def _row(rows: Rows, path: str) -> tuple[str, int]:
    view, _, number = path.partition(".")
    if not number.isdigit() or int(number) >= len(rows.get(view, [])):
        raise TestSetupError(f"repeat: there is no row `{path}`, such as attempts.0")
    return view, int(number)


def _copies(row: Mapping[str, Any], key: str | None, repeat: Repeat) -> Iterator[dict[str, Any]]:
    for number in range(repeat.times):
        copied = {name: _later(value, number * repeat.every) for name, value in row.items()}
        if number and key in copied:
            copied[str(key)] = f"{copied[str(key)]}-{number + 1:03}"
        yield copied


def _later(value: Any, by_s: float) -> Any:
    before_s = offset_s(value) if by_s and isinstance(value, str) else None
    if before_s is None:
        return value
    return f"t0{'+' if before_s + by_s >= 0 else '-'}{abs(before_s + by_s)}s"
