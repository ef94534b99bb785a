"""Values of `key=value` fields in many lines at once: a plain search first, an expression only for what it leaves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from investigator.formats.convert import unquoted

# Value of a field: a Go string, a bracketed list, or all up to the next blank.
_VALUE = r'(?:"((?:[^"\\]|\\.)*)"|(\[[^\]]*\]|[^ ]*))'
# Only such a key is always printed without quotes.
_PLAIN_KEY = re.compile(r"[\w.]+")


def field_texts(body: pl.Series, fields: Mapping[str, str], style: str) -> dict[str, pl.Series]:
    """Column → text of the first `key=value` (in JSON lines `"key":value`) of its `|`-separated keys.

    Go quotes are taken off.
    """
    keys = {column: names.split("|") for column, names in fields.items()}
    found = _found(body, {column: names[0] for column, names in keys.items()}, style)
    for column, names in keys.items():
        for name in names[1:]:
            if found[column].has_nulls():
                empty = np.flatnonzero(found[column].is_null().to_numpy())
                more = _found(body.gather(empty), {column: name}, style)[column]
                found[column] = found[column].scatter(empty, more)
    return found


def _found(body: pl.Series, keys: Mapping[str, str], style: str) -> dict[str, pl.Series]:
    if style == "json":
        return {column: _json_field(body, key) for column, key in keys.items()}
    plain = {column: key for column, key in keys.items() if _PLAIN_KEY.fullmatch(key)}
    odd = {column: key for column, key in keys.items() if column not in plain}
    by_expression = {
        column: _by_expression(body, rf'(?:^| )"?{re.escape(key)}"?={_VALUE}') for column, key in odd.items()
    }
    return _plain_fields(body, plain) | by_expression if plain else by_expression


def _json_field(body: pl.Series, key: str) -> pl.Series:
    return _by_expression(body, rf'"{re.escape(key)}":(?:"((?:[^"\\]|\\.)*)"|([^",}}]*))')


def _plain_fields(body: pl.Series, keys: Mapping[str, str]) -> dict[str, pl.Series]:
    """All fields in one query; values with escapes and lists are left to the expression."""
    rests = body.to_frame("body").select(_rest(key).alias(column) for column, key in keys.items())
    parts = rests.select(expr for column in keys for expr in _value(column))
    found = {column: parts[f"value {column}"] for column in keys}
    slow = parts.select(pl.col("^slow .*$").any())
    for column in keys:
        if slow[f"slow {column}"].item():
            places = np.flatnonzero(parts[f"slow {column}"].fill_null(False).to_numpy())
            by_expression = _by_expression(rests[column].gather(places), f"^{_VALUE}")
            found[column] = found[column].scatter(places, by_expression)
    return found


@cache
def _rest(key: str) -> pl.Expr:
    """What follows ` key=`, or `key=` at the very beginning."""
    text, literal = pl.col("body"), f" {key}="
    first = pl.when(text.str.starts_with(literal[1:])).then(len(literal) - 1)
    at = pl.coalesce(text.str.find(literal, literal=True) + len(literal), first)
    return _from(text, at)


def _from(text: pl.Expr, start: pl.Expr | int, length: pl.Expr | None = None) -> pl.Expr:
    """A part by byte positions, which lie at ASCII characters."""
    return text.cast(pl.Binary).bin.slice(start, length).cast(pl.String)


@cache
def _value(column: str) -> tuple[pl.Expr, pl.Expr]:
    """Columns value and slow: the plain value, and whether it is not to be had so simply."""
    rest = pl.col(column)
    quoted = rest.str.starts_with('"')
    inner = _from(rest, 1)
    string = _from(inner, 0, inner.str.find('"', literal=True))
    bare = pl.coalesce(_from(rest, 0, rest.str.find(" ", literal=True)), rest)
    odd = string.str.contains("\\", literal=True).fill_null(True)
    slow = pl.when(quoted).then(odd).otherwise(rest.str.starts_with("["))
    return pl.when(quoted).then(string).otherwise(bare).alias(f"value {column}"), slow.alias(f"slow {column}")


def _by_expression(body: pl.Series, regex: str) -> pl.Series:
    groups = body.to_frame("body").select(pl.col("body").str.extract_groups(regex)).to_series().struct.unnest()
    quoted, bare = groups.columns
    if groups[quoted].null_count() == len(body):
        return groups[bare]
    return groups.select(pl.coalesce(unquoted(pl.col(quoted)), pl.col(bare))).to_series()
