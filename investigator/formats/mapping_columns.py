"""The cells of a mapped record: times, numbers, texts (masked), lengths and hashes, and what an error text says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache

import msgspec
import polars as pl

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.dig import dig, number_at, sum_at, text_of
from investigator.formats.facts import fact_tables
from investigator.formats.mapping_spec import ColumnSpec, MappingSpec, Rule
from investigator.formats.masking import masked
from investigator.formats.prompts import text_hash
from investigator.formats.stamps import NO_STAMP, Stamp, epoch_stamp, iso_stamp

_TEXT_CHARS = 2000
_DECODER = msgspec.json.Decoder()


def record_of(raw: bytes) -> dict[str, object] | None:
    """The JSON object in `raw`, None when it is another value. Raises msgspec.MsgspecError."""
    value = _DECODER.decode(raw)
    return value if isinstance(value, dict) else None


def cells_of(rule: Rule, record: Mapping[str, object], spec: MappingSpec) -> tuple[Stamp, dict[str, object]]:
    """The stamp and the columns of the fact that `rule` makes of `record`."""
    cells: dict[str, object] = {"agent": spec.agent} if "agent" in _schema(rule.table) and spec.agent else {}
    for name, column in rule.columns.items():
        cells[name] = _cell(column, record, _schema(rule.table)[name], spec.zone)
    if rule.errors:
        cells.update({name: value for name, value in _errors(rule, record).items() if cells.get(name) is None})
    stamps = (_time(dig(record, path), spec.zone) for path in rule.stamp)
    return next((stamp for stamp in stamps if stamp.at is not None), NO_STAMP), cells


@cache
def _schema(table: str) -> Mapping[str, pl.DataType]:
    return fact_tables()[table].polars_schema()


def _cell(column: ColumnSpec, record: Mapping[str, object], dtype: pl.DataType, zone: str | None) -> object:
    if column.kind in ("chars", "hash"):
        found = next((value for path in column.paths if (value := dig(record, path)) is not None), None)
        text = text_of(found)
        return None if found is None else len(text) if column.kind == "chars" else text_hash(text)
    if column.since is not None:
        return _seconds_since(column, record, zone)
    if isinstance(dtype, pl.Datetime):
        return _moment(column, record, zone)
    if isinstance(dtype, pl.String):
        return _text(column, record)
    if isinstance(dtype, pl.Boolean):
        found = next((v for path in column.paths if isinstance(v := dig(record, path), bool)), column.value)
        return found if isinstance(found, bool) else None
    number = (sum_at if column.sum else number_at)(record, *column.paths)
    return column.value if number is None else number if column.scale == 1 else round(number * column.scale, 9)


def _moment(column: ColumnSpec, record: Mapping[str, object], zone: str | None) -> datetime | None:
    """A time in UTC; None when no zone is known."""
    stamps = (_time(dig(record, path), zone) for path in column.paths)
    at = next((stamp.at for stamp in stamps if stamp.kind == "utc"), None)
    beside = column.before or column.after
    if at is None or not beside:
        return at
    length = sum_at(record, *beside)
    if length is None or not 0 <= length * column.scale < 1e8:
        return None
    seconds = timedelta(seconds=length * column.scale)
    return at - seconds if column.before else at + seconds


def _seconds_since(column: ColumnSpec, record: Mapping[str, object], zone: str | None) -> float | None:
    begin = _time(dig(record, column.since or ""), zone).at
    end = next((at for path in column.paths if (at := _time(dig(record, path), zone).at)), None)
    return (end - begin).total_seconds() if begin and end else None


def _time(value: object, zone: str | None) -> Stamp:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch_stamp(value)
    stamp = iso_stamp(value) if isinstance(value, str) else NO_STAMP
    return Stamp(stamp.at, "utc", 0) if stamp.kind == "local" and zone == "utc" else stamp


def _text(column: ColumnSpec, record: Mapping[str, object]) -> str | None:
    for path in column.paths:
        value = dig(record, path)
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            continue
        text = str(value)
        if column.map is None:
            return masked(text[:_TEXT_CHARS])
        return str(column.map.get(text, column.map.get("*", text)))
    return None if column.value is None else str(column.value)


def _errors(rule: Rule, record: Mapping[str, object]) -> dict[str, object]:
    texts = [str(value) for path in rule.errors if isinstance(value := dig(record, path), str | int) and value != ""]
    if not texts:
        return {}
    facts = classify_best(*texts)
    cells = error_cells(facts, texts[0])
    if "limit_s" in _schema(rule.table):
        cells["limit_s"] = facts.limit_s
    return {name: value for name, value in cells.items() if name in _schema(rule.table)}
