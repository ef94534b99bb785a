"""Takes the wrappers of journald, docker, compose, CRI and kubectl off each line; keeps their stamp and program.

A chunk without any wrapper costs one regex per line.
"""

from __future__ import annotations

import polars as pl

from investigator.formats.lines import read_lines
from investigator.formats.transport.journal import is_json, readable, take_export, take_json, take_pretty
from investigator.formats.transport.pieces import join_pieces
from investigator.formats.transport.stamps import with_zone_of_payload
from investigator.formats.transport.wrappers import MAYBE, NOT_COMPOSE, WRAPPERS, Wrapper

__all__ = ["LAYERS", "bare_head", "unwrap"]

#: Wrappers can be nested (kubectl with stamps, compose over journald): this many layers are removed.
LAYERS = 3

_ANSI = r"\x1b\[[0-9;?]*[A-Za-z]"


def unwrap(lines: pl.DataFrame) -> pl.DataFrame:
    """Add payload, program, stamp, stamp_kind, offset_s: the text without its wrappers, and what they said.

    Records of several lines (`journalctl -o export`, lines split by docker, CRI or journald) become one row: the first
    line's, with the number of lines in `span`. `lines` has row (0, 1, 2 …), line_no, byte_offset, text, span.
    """
    bare = lines.with_columns(
        pl.col("text").alias("payload"),
        pl.lit(None, pl.String).alias("program"),
        pl.lit(None, pl.Datetime("us")).alias("stamp"),
        pl.lit("none").alias("stamp_kind"),
        pl.lit(None, pl.Int32).alias("offset_s"),
    )
    wrapped = bare["payload"].str.contains(MAYBE)
    return _unwrapped(bare, wrapped) if wrapped.any() else bare


def _unwrapped(bare: pl.DataFrame, wrapped: pl.Series) -> pl.DataFrame:
    columns = bare.columns
    rows = bare.with_columns(pl.lit(None, pl.String).alias("piece"), pl.lit(False).alias("goes_on"))
    if rows["payload"].str.starts_with("__CURSOR=").any():
        rows = _clean(join_pieces(take_export(rows)))
        wrapped = rows["payload"].str.contains(MAYBE)
    if (rows["payload"] == "{").any():
        rows = take_pretty(rows)
        wrapped = rows["payload"].str.contains(MAYBE)
    for _ in range(LAYERS):
        if not wrapped.any():
            break
        # Pieces are joined layer by layer: an inner wrapper can be cut by the outer one.
        rows = _clean(join_pieces(pl.concat([rows.filter(~wrapped), _peel(rows.filter(wrapped))]).sort("row")))
        wrapped = rows["payload"].str.contains(MAYBE)
    if (rows["stamp_kind"] == "utc").any():
        rows = with_zone_of_payload(rows)
    whole = rows.select(columns)
    return whole.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))


def _peel(lines: pl.DataFrame) -> pl.DataFrame:
    done: list[pl.DataFrame] = []
    entries = lines.select(is_json(pl.col("payload"))).to_series()
    if entries.any():
        done.append(take_json(lines.filter(entries)).select(lines.columns))
        lines = lines.filter(~entries)
    for wrapper in WRAPPERS:
        if lines.is_empty():
            break
        mask = lines["payload"].str.contains(wrapper.regex)
        if wrapper.name == "compose":
            mask &= ~lines["payload"].str.contains(NOT_COMPOSE)
        if mask.any():
            done.append(_take_off(wrapper, lines.filter(mask)))
            lines = lines.filter(~mask)
    return pl.concat([*done, lines])


def _take_off(wrapper: Wrapper, lines: pl.DataFrame) -> pl.DataFrame:
    group = pl.col("payload").str.extract_groups(wrapper.regex).struct.field
    rest = group("rest")
    if wrapper.json is not None:
        rest = pl.coalesce(pl.col("payload").str.json_path_match(f"$.{wrapper.json}"), rest).str.strip_chars_end("\r\n")
    updates = [rest.alias("payload")]
    named = [group(name) for name in ("program", "kernel") if name in wrapper.groups]
    if named:
        updates.append(pl.coalesce(named).alias("program"))
    if wrapper.stamp is not None:
        updates += wrapper.stamp(group)
    if wrapper.goes_on is not None:
        stream = "stream" if "stream" in wrapper.groups else "program"
        updates += [group(stream).fill_null("").alias("piece"), wrapper.goes_on(group).alias("goes_on")]
    return lines.with_columns(updates)


def _clean(rows: pl.DataFrame) -> pl.DataFrame:
    """Remove what only shows once quoting is undone and pieces are joined: colours, NUL runs, line ends."""
    odd = rows["payload"].str.contains(r"[\x00\x1b\r]")
    if not odd.any():
        return rows
    text = pl.col("payload").str.replace_all(_ANSI, "").str.replace_all(r"\x00+", "").str.strip_chars_end("\r\n")
    return rows.with_columns(pl.when(pl.lit(odd)).then(text).otherwise("payload").alias("payload"))


def bare_head(head: bytes) -> bytes:
    """The first bytes of a stream without wrappers, one payload per line; `head` itself where there is no wrapper."""
    lines = read_lines(readable(head), 0, 1)
    numbered = lines.with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.lit(1, pl.Int32).alias("span")
    )
    rows = unwrap(numbered)
    if rows.height == lines.height and (rows["payload"] == rows["text"]).all():
        return head
    return "".join(f"{text}\n" for text in rows["payload"]).encode("utf-8", "replace")
