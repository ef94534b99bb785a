"""Takes the wrappers of journald, docker, compose, CRI and kubectl off each line; keeps their stamp and program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from investigator.formats.convert import epoch_stamp, stamp_columns

_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)"
_MONTH = r"(?:[A-Z][a-z]{2}|\d{1,2}月|[a-zäéûç]{3,5}\.?)"
_PROGRAM = r"(?<host>\S+) (?<program>[A-Za-z][\w.@-]*)(?:\[\d+\])?: ?(?<rest>.*)$"

StampColumns = Callable[[pl.Expr], tuple[pl.Expr, pl.Expr, pl.Expr]]


@dataclass(frozen=True, slots=True)
class Wrapper:
    """One kind of wrapper: groups `rest` (payload), and if it has them `stamp` and `program`."""

    name: str
    regex: str
    stamp: StampColumns | None = None
    quoted: bool = False


WRAPPERS: tuple[Wrapper, ...] = (
    # A stamp without a year cannot be turned into a time from the line alone: it is dropped.
    Wrapper("journald-short", rf"^{_MONTH} [ \d]?\d \d\d:\d\d:\d\d(?:\.\d+)? {_PROGRAM}"),
    Wrapper("journald-iso", rf"^(?<stamp>{_STAMP}) {_PROGRAM}", stamp_columns),
    Wrapper("journald-unix", rf"^(?<stamp>\d{{10}}\.\d{{6}}) {_PROGRAM}", epoch_stamp),
    Wrapper("journald-monotonic", rf"^\[ *\d+\.\d{{6}}\] {_PROGRAM}"),
    Wrapper("cri", rf"^(?<stamp>{_STAMP}) (?:stdout|stderr) [FP] (?<rest>.*)$", stamp_columns),
    Wrapper("stamped", rf"^(?<stamp>{_STAMP}) (?<rest>.*)$", stamp_columns),
    # PowerShell puts the program's name before the first line that it redirects.
    Wrapper("powershell", r"^(?<program>\S*(?i:ollama|llama-server)(?:\.exe)?) : (?<rest>.*)$"),
    Wrapper("kubectl", r"^\[pod/[^/\]]+/(?<program>[^\]]+)\] (?<rest>.*)$"),
    Wrapper("compose", r"^(?<program>[A-Za-z][\w.-]*?(?:[-_]\d+)?) *\| ?(?<rest>.*)$"),
    Wrapper(
        "docker-json",
        r'^\{"log":"(?<rest>(?:[^"\\]|\\.)*)"(?:,"stream":"\w+")?(?:,"attrs":\{[^}]*\})?,"time":"(?<stamp>[^"]+)"\}$',
        stamp_columns,
        quoted=True,
    ),
)
# One cheap test that lets all bare lines pass by.
_MAYBE = (
    rf"^(?:{_MONTH} [ \d]?\d \d\d:\d\d:|\d{{4}}-\d\d-\d\d[T ]|\d{{10}}\.|\[ *\d+\.\d{{6}}\] |\[pod/"
    r'|[A-Za-z][\w.-]* *\||\{"log":|\S*(?i:ollama|llama-server)(?:\.exe)? : )'
)
# A bar after a word is also an ordinary llama.cpp table.
_NOT_COMPOSE = r"^(?:slot|srv|que|llama_\w+|common_\w+|ggml_\w+|system_info|INFO|WARN|ERROR|DEBUG|model|size)\b"

#: Wrappers can be nested (kubectl with stamps, compose over journald): this many layers are removed.
LAYERS = 2


def unwrap(lines: pl.DataFrame) -> pl.DataFrame:
    """Add payload, program, stamp, stamp_kind, offset_s: the text without its wrappers, and what they said."""
    bare = lines.with_columns(
        pl.col("text").alias("payload"),
        pl.lit(None, pl.String).alias("program"),
        pl.lit(None, pl.Datetime("us")).alias("stamp"),
        pl.lit("none").alias("stamp_kind"),
        pl.lit(None, pl.Int32).alias("offset_s"),
    )
    for _ in range(LAYERS):
        wrapped = bare["payload"].str.contains(_MAYBE) & ~bare["payload"].str.contains(_NOT_COMPOSE)
        if not wrapped.any():
            break
        bare = pl.concat([bare.filter(~wrapped), _peel(bare.filter(wrapped))]).sort("row")
    return bare


def _peel(lines: pl.DataFrame) -> pl.DataFrame:
    done: list[pl.DataFrame] = []
    for wrapper in WRAPPERS:
        if lines.is_empty():
            break
        mask = lines["payload"].str.contains(wrapper.regex)
        if mask.any():
            done.append(_take_off(wrapper, lines.filter(mask)))
            lines = lines.filter(~mask)
    return pl.concat([*done, lines])


def _take_off(wrapper: Wrapper, lines: pl.DataFrame) -> pl.DataFrame:
    group = pl.col("payload").str.extract_groups(wrapper.regex).struct.field
    rest = group("rest")
    if wrapper.quoted:
        rest = (pl.lit('"') + rest + pl.lit('"')).str.json_decode(pl.String).str.strip_chars_end("\r\n")
    updates = [rest.alias("payload")]
    if "(?<program>" in wrapper.regex:
        updates.append(group("program").alias("program"))
    if wrapper.stamp is not None:
        updates += wrapper.stamp(group("stamp"))
    return lines.with_columns(updates)
