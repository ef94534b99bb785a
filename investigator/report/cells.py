"""Cells and tables of the charts, and columns of attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from investigator.diagnosis.model import AttemptRow
from investigator.report.language import _, figures
from investigator.report.text import UNKNOWN, Shown, number, plural, size
from investigator.report.viewtypes import Cell, Table

_T = TypeVar("_T")

#: Rows of a table behind a chart.
MAX_TABLE_ROWS = 60


def num(row: AttemptRow, column: str) -> float | None:
    """A numeric column of an attempt, None when it is not known."""
    value = row.columns.get(column)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def row_start(row: AttemptRow) -> datetime | None:
    """When an attempt arrived, where that is known."""
    value = row.columns.get("arrived_at")
    return value if isinstance(value, datetime) else None


def text_cell(text: str, exact: str | None = None, *, numeric: bool = False, code: bool = False) -> Cell:
    """Text, with its exact form where that differs."""
    return Cell(Shown(text, exact if exact is not None else text), numeric=numeric, code=code)


def tokens_cell(value: float | None) -> Cell:
    """A number of tokens."""
    return text_cell(_(UNKNOWN) if value is None else number(int(value)), numeric=True)


def bytes_cell(value: float | None) -> Cell:
    """A size in binary units."""
    return (
        text_cell(_(UNKNOWN), numeric=True)
        if value is None
        else text_cell(size(value), f"{figures(f'{value:,.0f}')} {_('bytes')}", numeric=True)
    )


def capped(
    heads: tuple[str, ...], items: Sequence[_T], row: Callable[[_T], tuple[Cell, ...]], limit: int = MAX_TABLE_ROWS
) -> Table:
    """A table of the first `limit` items, a row each, that says how many it leaves out."""
    more = len(items) - limit
    return Table(
        heads, tuple(map(row, items[:limit])), f"{plural(more, 'more row')} {_('left out')}" if more > 0 else ""
    )
