"""From the lines of one pattern to rows of a fact table: groups, fields and constants into typed columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from investigator.formats.convert import integer, number, size_bytes, switch, tristate, unquoted
from investigator.formats.durations import seconds_of
from investigator.formats.facts import common_columns, fact_tables
from investigator.formats.fields import field_texts
from investigator.formats.patterns import HAS_GROUPS, FactSpec

#: Longest text kept in a column that repeats what a line said.
MESSAGE_LIMIT = 600

# A setting's name inside Ollama's `map[KEY:value KEY:value]`; its value may contain blanks, colons and brackets.
_ENV_KEY = r"(^|\s)([A-Z][A-Z0-9_]{2,}|https?_proxy|no_proxy):"


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one lane that go to one pattern.

    frame: columns row, body, quoted, level, origin, slot, task. keys: what patterns are matched against. style: how
    fields are written. groups: what the pattern's regex captured, if it did.
    """

    frame: pl.DataFrame
    keys: pl.Series
    style: str
    groups: pl.DataFrame | None = None


@cache
def needed(spec: FactSpec) -> frozenset[str]:
    """Columns of a lane that facts of this kind are made of."""
    own = set(_own_columns(spec.table)) if spec.rows is None else set()
    automatic = {name for name in own & _AUTOMATIC.keys() if name not in spec.set}
    said = {"message", "detail"}
    columns = {"row"} | (automatic - said)
    if automatic & said:
        columns |= {"body", "quoted"}
    return frozenset(columns | ({"body"} if spec.fields or spec.rows else set()))


def extract(spec: FactSpec, lines: Lines) -> pl.DataFrame:
    """Rows of `spec.table` (column row, and the table's own; the common ones are given later) for these lines."""
    if spec.rows is not None:
        return _SPLITTERS[spec.rows](lines)
    texts = _texts(spec, lines)
    table = _own_columns(spec.table)
    wanted = {name: dtype for name, dtype in table.items() if name in texts or name in spec.set or name in _AUTOMATIC}
    quick = {
        name: number_
        for name, text in texts.items()
        if name not in spec.set and (number_ := _quick(name, table[name], text, spec)) is not None
    }
    named = [text.alias(f"text {name}") for name, text in texts.items() if name not in quick]
    numbers = [number_.alias(f"number {name}") for name, number_ in quick.items()]
    cells = lines.frame.hstack([lines.keys.alias("key"), *named, *numbers])
    return cells.select("row", *(_column(spec, name, name in quick, name in texts, lines.style) for name in wanted))


# Expressions are made once: making them takes longer than applying them to some hundred lines.
@cache
def _column(spec: FactSpec, name: str, quick: bool, said: bool, style: str) -> pl.Expr:
    """A column of the table, from its number, its text or what every line has."""
    dtype = _own_columns(spec.table)[name]
    number_ = _defaulted(spec, name, dtype, pl.col(f"number {name}"))
    return (number_ if quick else _typed(spec, name, dtype, said, style)).alias(name)


@cache
def _own_columns(table: str) -> Mapping[str, pl.DataType]:
    common = set(common_columns())
    return {name: dtype for name, dtype in fact_tables()[table].polars_schema().items() if name not in common}


def _texts(spec: FactSpec, lines: Lines) -> Mapping[str, pl.Series]:
    """Column → text it is read from."""
    texts: dict[str, pl.Series] = {}
    if spec.regex is not None and HAS_GROUPS.search(spec.regex):
        groups = lines.groups
        if groups is None:
            groups = lines.keys.str.extract_groups(spec.regex).struct.unnest()
        texts |= {name: groups[name] for name in groups.columns if not name.isdigit()}
    if spec.fields:
        texts |= field_texts(lines.frame["body"], spec.fields, lines.style)
    texts |= {column: lines.keys.str.extract(regex, 1) for column, regex in spec.find.items()}
    return texts


def message_text(style: str) -> pl.Expr:
    """What the line says, without stamp, level and fields."""
    quoted = unquoted(pl.col("key").str.extract(r'^((?:[^"\\]|\\.)*)'))
    bare = pl.when(pl.col("quoted")).then(quoted).otherwise(pl.col("key")) if style == "text" else pl.col("key")
    return bare.str.strip_chars().str.slice(0, MESSAGE_LIMIT)


def _detail(style: str) -> pl.Expr:
    rest = pl.col("body").str.replace(r'^(?:"(?:[^"\\]|\\.)*"|\S*) ?', "").str.slice(0, MESSAGE_LIMIT)
    return pl.when(pl.col("quoted")).then(rest)


_AUTOMATIC: Mapping[str, Callable[[str], pl.Expr]] = {
    "message": message_text,
    "detail": _detail,
    "level": lambda _: pl.col("level"),
    "origin": lambda _: pl.col("origin"),
    "slot": lambda _: pl.col("slot"),
    "task": lambda _: pl.col("task"),
}


def _quick(name: str, dtype: pl.DataType, text: pl.Series, spec: FactSpec) -> pl.Series | None:
    """Values of a column of plain numbers, or None if its texts need more than a cast."""
    if name in spec.maps or name.endswith("_bytes") or not dtype.is_numeric():
        return None
    if name.endswith("_s") and dtype == pl.Float64 and spec.units.get(name) != "ms":
        return seconds_of(text)
    values = text.cast(pl.Int64 if dtype.is_integer() else pl.Float64, strict=False)
    if values.null_count() != text.null_count():
        return None
    return values * 1e-3 if name.endswith("_s") else values


def _typed(spec: FactSpec, name: str, dtype: pl.DataType, said: bool, style: str) -> pl.Expr:
    if name in spec.set:
        return pl.lit(spec.set[name], dtype)
    if not said:
        return _AUTOMATIC[name](style).cast(dtype, strict=False)
    text = pl.col(f"text {name}")
    if mapping := spec.maps.get(name):
        text = text.replace(mapping)
    return _defaulted(spec, name, dtype, _converted(name, dtype, text, spec.units.get(name, "")))


def _defaulted(spec: FactSpec, name: str, dtype: pl.DataType, value: pl.Expr) -> pl.Expr:
    value = value.cast(dtype, strict=False)
    return value.fill_null(pl.lit(spec.defaults[name], dtype)) if name in spec.defaults else value


def _converted(name: str, dtype: pl.DataType, text: pl.Expr, unit: str) -> pl.Expr:
    if name.endswith("_bytes"):
        return size_bytes(text, unit)
    if name.endswith("_s") and dtype == pl.Float64:
        return number(text) * 1e-3
    if dtype == pl.Boolean:
        return switch(text)
    if dtype == pl.Float64:
        return number(text)
    if dtype.is_integer():
        return integer(text)
    return tristate(text) if name == "flash_attention" else text.str.slice(0, MESSAGE_LIMIT)


def _environment(lines: Lines) -> pl.DataFrame:
    """One server_config row per setting of `server config env="map[…]"`."""
    inner = pl.col("body").str.extract(r'map\[(.*?)\]?"?\s*$')
    pairs = inner.str.replace_all(_ENV_KEY, "\x1f$2:").str.strip_chars("\x1f").str.split("\x1f")
    rows = lines.frame.select("row", pairs.alias("pair")).explode("pair").drop_nulls("pair")
    halves = pl.col("pair").str.splitn(":", 2).struct.field
    return rows.select("row", halves("field_0").alias("key"), halves("field_1").str.strip_chars().alias("value"))


_SPLITTERS: Mapping[str, Callable[[Lines], pl.DataFrame]] = {"environment": _environment}
