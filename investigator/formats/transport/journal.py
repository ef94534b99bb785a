"""Entries of `journalctl -o json` (one object a line) and `-o export` (a block of KEY=value lines).

The fields: https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html
"""

from __future__ import annotations

import re

import polars as pl

from investigator.formats.transport.stamps import micros

#: What stands for a message that journalctl left out because it was longer than 4096 bytes.
LEFT_OUT = "[blob data]"

_JSON = r'^\{.*"__REALTIME_TIMESTAMP"\s*:.*\}$'
_BYTES = r'"MESSAGE"\s*:\s*(\[[\d,\s]*\])'
_FIRST_FIELD = "__CURSOR="
_PRETTY = '"__REALTIME_TIMESTAMP"'
_FIELD = r"^[A-Z0-9_]+="
# A field of bytes: its name alone, then eight bytes of length, the bytes, a line end.
_BINARY = re.compile(rb"(?:(?<=\n)|\A)([A-Z_][A-Z0-9_]*)\n")
_FILLER = "\x1e"
# Line ends among the eight bytes of a length that the filler has room for; more would be a length of gigabytes.
_MOST_ENDS = 3


def is_json(text: pl.Expr) -> pl.Expr:
    """Whether the line is one journal entry."""
    return text.str.contains(_JSON)


def take_json(lines: pl.DataFrame) -> pl.DataFrame:
    """Payload, program, stamp of the entries; `piece` and `goes_on` where journald broke a line in two."""
    text = pl.col("payload")
    entries = lines.with_columns(
        message=text.str.json_path_match("$.MESSAGE"),
        bytes_=text.str.extract(_BYTES, 1),
        lost=text.str.contains(r'"MESSAGE"\s*:\s*null'),
    )
    message = (
        pl.when("lost").then(pl.lit(LEFT_OUT)).otherwise(pl.coalesce(pl.lit(_from_bytes(entries["bytes_"])), "message"))
    )
    return entries.with_columns(
        message.fill_null("").alias("payload"),
        pl.coalesce(text.str.json_path_match("$.SYSLOG_IDENTIFIER"), text.str.json_path_match("$._COMM")).alias(
            "program"
        ),
        *micros(text.str.json_path_match("$.__REALTIME_TIMESTAMP")),
        text.str.json_path_match("$._STREAM_ID").fill_null("").alias("piece"),
        (text.str.json_path_match("$._LINE_BREAK").fill_null("") == "line-max").alias("goes_on"),
    ).drop("message", "bytes_", "lost")


def _from_bytes(numbers: pl.Series) -> pl.Series:
    """Texts of `[27,91,57]`, the form of a message with unprintable bytes."""
    if numbers.null_count() == len(numbers):
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(numbers))
    values = numbers.str.json_decode(pl.List(pl.UInt8)).cast(pl.Binary)
    return pl.Series([None if value is None else value.decode(errors="replace") for value in values], dtype=pl.String)


def readable(data: bytes) -> bytes:
    """An export whose fields of bytes are written as text, in place: as long as before, with as many lines.

    `MESSAGE`, line end, length, bytes becomes `MESSAGE=` and the bytes; filler follows in a line of its own.
    """
    if b"__CURSOR=" not in data:
        return data
    parts: list[bytes] = []
    done = 0
    for found in _BINARY.finditer(data):
        start, body = found.start(), found.end() + 8
        length = data[found.end() : body]
        end = body + int.from_bytes(length, "little")
        whole = len(length) == 8 and length.count(b"\n") <= _MOST_ENDS and data[end : end + 1] == b"\n"
        if start < done or not whole or not (start == done or _after_field(data, start)):
            continue
        parts += [data[done:start], found[1], b"=", data[body:end], b"\n", _filler(length.count(b"\n") + 1)]
        done = end + 1
    return b"".join([*parts, data[done:]]) if parts else data


def _after_field(data: bytes, start: int) -> bool:
    """Entries begin with a field of text; in a bare log a line of capitals is just a line."""
    before = data[data.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start]
    return re.match(rb"[A-Z0-9_]+=", before) is not None


def _filler(ends: int) -> bytes:
    """Eight bytes with this many line ends, and no empty line."""
    mark = _FILLER.encode()
    return (mark + b"\n") * (ends - 1) + mark * (9 - 2 * ends) + b"\n"


def take_pretty(lines: pl.DataFrame) -> pl.DataFrame:
    """The entries of `-o json-pretty`, each in one row as `-o json` writes it; other lines as they are."""
    text = pl.col("payload").str.strip_chars(" \t\r")
    brace = lines.select((pl.col("payload") == "{").cum_sum().alias("entry"), text.alias("text"))
    ended = (pl.col("payload") == "}").cum_sum().over("entry")
    marked = lines.with_columns(brace["entry"])
    inside = (pl.col("entry") > 0) & ((ended == 0) | ((ended == 1) & (pl.col("payload") == "}")))
    marked = marked.with_columns(inside=inside)
    ours = (pl.col("inside") & text.str.starts_with(_PRETTY)).any().over("entry")
    marked = marked.with_columns(inside=inside & ours)
    entries = (
        marked.filter("inside")
        .group_by("entry", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in lines.columns if name not in ("span", "payload")),
            pl.col("span").sum(),
            text.str.join("").alias("payload"),
        )
    )
    return pl.concat([marked.filter(~pl.col("inside")).select(lines.columns), entries.select(lines.columns)]).sort(
        "row"
    )


def take_export(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per entry of `-o export`, spanning its lines and the empty line after it; other lines as they are."""
    text = pl.col("payload")
    first = text.str.starts_with(_FIRST_FIELD)
    marked = lines.with_columns(first.cum_sum().alias("entry"))
    over = (text == "").cum_sum().over("entry")
    inside = (pl.col("entry") > 0) & ((over == 0) | ((over == 1) & (text == "")))
    marked = marked.with_columns(inside.alias("inside"))
    entries = (
        marked.filter("inside")
        .group_by("entry", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in lines.columns if name not in ("span", "payload")),
            pl.col("span").sum(),
            _message(text).alias("payload"),
            pl.coalesce(_field("SYSLOG_IDENTIFIER"), _field("_COMM")).alias("identifier"),
            _field("__REALTIME_TIMESTAMP").alias("realtime"),
            _field("_STREAM_ID").fill_null("").alias("stream_id"),
            (_field("_LINE_BREAK").fill_null("") == "line-max").alias("broken"),
        )
    )
    entries = entries.with_columns(
        pl.col("identifier").alias("program"),
        *micros(pl.col("realtime")),
        pl.col("stream_id").alias("piece"),
        pl.col("broken").alias("goes_on"),
    )
    return pl.concat([marked.filter(~pl.col("inside")).select(lines.columns), entries.select(lines.columns)]).sort(
        "row"
    )


def _field(name: str) -> pl.Expr:
    text = pl.col("payload")
    return text.filter(text.str.starts_with(f"{name}=")).first().str.slice(len(name) + 1)


def _message(text: pl.Expr) -> pl.Expr:
    """The message; what follows it without being a field belongs to it."""
    field = text.str.contains(_FIELD)
    here = pl.when(text.str.starts_with("MESSAGE=")).then(1).when(field | text.str.starts_with(_FILLER)).then(0)
    kept = text.filter((here.forward_fill() == 1) & (text != ""))
    return kept.str.join("\n").str.strip_prefix("MESSAGE=")
