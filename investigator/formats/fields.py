"""Values of `key=value` fields in many lines at once: a plain search first, an expression only for what it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import numpy as np
import polars as pl

from investigator.formats.convert import unquoted

# Value of a field: a Go string, a bracketed list, or all up to the next blank.
_VALUE = r'(?:"((?:[^"\\]|\\.)*)"|(\[[^\]]*\]|[^ ]*))'
# Only such a key is always printed without quotes.
_PLAIN_KEY = re.compile(r"[\w.]+")


def field_text(body: pl.Series, keys: str, style: str) -> pl.Series:
    """Text of the first `key=value` (in JSON lines `"key":value`) of these `|`-separated keys, without Go quotes."""
    find = _json_field if style == "json" else _text_field
    found = pl.Series(body.name, [None], dtype=pl.String).new_from_index(0, len(body))
    for key in keys.split("|"):
        found = _filled(found, body, partial(find, key=key))
    return found


def _filled(found: pl.Series, body: pl.Series, find: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`found` with its nulls looked up in the same lines of `body`."""
    if found.null_count() == len(found):
        return find(body)
    if not found.has_nulls():
        return found
    empty = np.flatnonzero(found.is_null().to_numpy())
    return found.scatter(empty, find(body[empty]))


def _text_field(body: pl.Series, key: str) -> pl.Series:
    if not _PLAIN_KEY.fullmatch(key):
        return _by_expression(body, rf'(?:^| )"?{re.escape(key)}"?={_VALUE}')
    return _filled(_plain_field(body, key), body, lambda part: _by_expression(part, rf"^{re.escape(key)}={_VALUE}"))


def _json_field(body: pl.Series, key: str) -> pl.Series:
    return _by_expression(body, rf'"{re.escape(key)}":(?:"((?:[^"\\]|\\.)*)"|([^",}}]*))')


def _plain_field(body: pl.Series, key: str) -> pl.Series:
    literal = f" {key}="
    text, rest = pl.col("body"), pl.col("rest")
    at = text.str.find(literal, literal=True) + len(literal)
    parts = body.to_frame("body").select(text.cast(pl.Binary).bin.slice(at).cast(pl.String).alias("rest"))
    parts = parts.with_columns(
        pl.coalesce(rest.str.head(rest.str.find(" ", literal=True)), rest).alias("value"),
        (rest.str.starts_with('"') | rest.str.starts_with("[")).alias("bracketed"),
    )
    found = parts["value"]
    if parts["bracketed"].any():
        places = np.flatnonzero(parts["bracketed"].fill_null(False).to_numpy())
        found = found.scatter(places, _by_expression(parts["rest"][places], f"^{_VALUE}"))
    return found


def _by_expression(body: pl.Series, regex: str) -> pl.Series:
    groups = body.to_frame("body").select(pl.col("body").str.extract_groups(regex)).to_series().struct.unnest()
    quoted, bare = groups.columns
    if groups[quoted].null_count() == len(body):
        return groups[bare]
    return groups.select(pl.coalesce(unquoted(pl.col(quoted)), pl.col(bare))).to_series()
