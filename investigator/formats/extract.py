"""From the lines of one pattern to rows of a fact table: groups, fields and constants into typed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import polars as pl

from investigator.formats.convert import integer, number, seconds, size_bytes, switch, tristate, unquoted
from investigator.formats.facts import common_columns, fact_tables
from investigator.formats.patterns import FactSpec

#: Longest text kept in a column that repeats what a line said.
MESSAGE_LIMIT = 600

_GROUP = re.compile(r"\(\?P?<(\w+)>")
# A setting's name inside Ollama's `map[KEY:value KEY:value]`; its value may contain blanks, colons and brackets.
_ENV_KEY = r"(^|\s)([A-Z][A-Z0-9_]{2,}|https?_proxy|no_proxy):"


def extract(spec: FactSpec, lines: pl.DataFrame) -> pl.DataFrame:
    """Rows of `spec.table` (with row, line_no, byte_offset, lines, stamps; ids are given later) for these lines."""
    if spec.rows is not None:
        return _SPLITTERS[spec.rows](lines)
    table = fact_tables()[spec.table].polars_schema()
    common = set(common_columns())
    sources = _sources(spec)
    columns = [
        _typed(spec, name, dtype, sources).alias(name)
        for name, dtype in table.items()
        if name not in common and (name in sources or name in spec.set or name in _AUTOMATIC)
    ]
    return lines.select(*_common(), *columns)


def _common() -> list[pl.Expr]:
    kept = ("row", "line_no", "byte_offset", "stamp", "stamp_kind", "offset_s")
    return [*(pl.col(name) for name in kept), pl.col("span").alias("lines")]


def _sources(spec: FactSpec) -> Mapping[str, pl.Expr]:
    """Column → text it is read from."""
    sources: dict[str, pl.Expr] = {}
    if spec.regex is not None:
        groups = pl.col("key").str.extract_groups(spec.regex).struct.field
        sources |= {name: groups(name) for name in _GROUP.findall(spec.regex)}
    sources |= {column: field_text(key) for column, key in spec.fields.items()}
    sources |= {column: pl.col("key").str.extract(regex, 1) for column, regex in spec.find.items()}
    return sources


def field_text(keys: str) -> pl.Expr:
    """Text of the first `key=value` (in JSON lines `"key":value`) of these `|`-separated keys, without Go quotes."""
    found = [_one_field(key) for key in keys.split("|")]
    return pl.coalesce(found)


def _one_field(key: str) -> pl.Expr:
    name = re.escape(key)
    value = r'(?:"((?:[^"\\]|\\.)*)"|'
    text = pl.col("body").str.extract_groups(rf'(?:^| )"?{name}"?={value}(\[[^\]]*\]|[^ ]*))').struct.field
    json = pl.col("body").str.extract_groups(rf'"{name}":{value}([^",}}]*))').struct.field
    in_json = pl.col("style") == "json"
    quoted = pl.when(in_json).then(json("1")).otherwise(text("1"))
    bare = pl.when(in_json).then(json("2")).otherwise(text("2"))
    return pl.coalesce(unquoted(quoted), bare)


def message_text() -> pl.Expr:
    """What the line says, without stamp, level and fields."""
    quoted = unquoted(pl.col("key").str.extract(r'^((?:[^"\\]|\\.)*)'))
    slog = pl.col("style") == "text"
    bare = pl.when(slog & pl.col("quoted")).then(quoted).otherwise(pl.col("key"))
    return bare.str.strip_chars().str.slice(0, MESSAGE_LIMIT)


def _detail() -> pl.Expr:
    rest = pl.col("body").str.replace(r'^(?:"(?:[^"\\]|\\.)*"|\S*) ?', "").str.slice(0, MESSAGE_LIMIT)
    return pl.when(pl.col("quoted")).then(rest)


_AUTOMATIC: Mapping[str, Callable[[], pl.Expr]] = {
    "message": message_text,
    "detail": _detail,
    "level": lambda: pl.col("level"),
    "origin": lambda: pl.col("origin"),
    "slot": lambda: pl.col("slot"),
    "task": lambda: pl.col("task"),
}


def _typed(spec: FactSpec, name: str, dtype: pl.DataType, sources: Mapping[str, pl.Expr]) -> pl.Expr:
    if name in spec.set:
        return pl.lit(spec.set[name], dtype)
    if name not in sources:
        return _AUTOMATIC[name]().cast(dtype, strict=False)
    text = sources[name]
    if mapping := spec.maps.get(name):
        text = text.replace(mapping)
    value = _converted(name, dtype, text, spec.units.get(name, "")).cast(dtype, strict=False)
    return value.fill_null(pl.lit(spec.defaults[name], dtype)) if name in spec.defaults else value


def _converted(name: str, dtype: pl.DataType, text: pl.Expr, unit: str) -> pl.Expr:
    if name.endswith("_bytes"):
        return size_bytes(text, unit)
    if name.endswith("_s") and dtype == pl.Float64:
        return number(text) * 1e-3 if unit == "ms" else seconds(text)
    if dtype == pl.Boolean:
        return switch(text)
    if dtype == pl.Float64:
        return number(text)
    if dtype.is_integer():
        return integer(text)
    return tristate(text) if name == "flash_attention" else text.str.slice(0, MESSAGE_LIMIT)


def _environment(lines: pl.DataFrame) -> pl.DataFrame:
    """One server_config row per setting of `server config env="map[…]"`."""
    inner = pl.col("body").str.extract(r'map\[(.*?)\]?"?\s*$')
    pairs = inner.str.replace_all(_ENV_KEY, "\x1f$2:").str.strip_chars("\x1f").str.split("\x1f")
    rows = lines.select(*_common(), pairs.alias("pair")).explode("pair").drop_nulls("pair")
    halves = pl.col("pair").str.splitn(":", 2).struct.field
    first = pl.int_range(pl.len()).over("row") == 0
    return rows.select(
        pl.exclude("pair", "lines"),
        pl.when(first).then(pl.col("lines")).otherwise(0).cast(pl.Int32).alias("lines"),
        halves("field_0").alias("key"),
        halves("field_1").str.strip_chars().alias("value"),
    )


_SPLITTERS: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {"environment": _environment}
