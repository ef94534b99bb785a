"""What a night is judged by: the new lines, a while before them, and the settings that were in force.

A case that grows for a year is not judged as a whole every night. The window is copied to a case in memory, where the
rules run as in any investigation.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.follow import Growth
from investigator.casefile.frames import insert_frame, read_frame
from investigator.correlate import correlate
from investigator.formats.facts import fact_tables
from investigator.sqltext import sql_reader
from investigator.views import create_views

_sql = sql_reader(__package__, "sql")

#: Tables of settings: they hold from the server's start on, however long ago that was.
_SETTINGS = (
    "server_start", "server_config", "compute_device", "device_problem", "host_memory", "agent_config", "model_spec",
    "host_spec",
)  # fmt: skip
#: Tables of a load that may have been under way when the window begins.
_LOADS = (
    "runner_start", "load_request", "load_plan", "memory_part", "layer_offload", "model_meta", "context_clamp",
    "slot_init", "load_end", "load_option",
)  # fmt: skip


def window(case: Case, growths: Sequence[Growth], lookback_s: float, tz: str | None) -> Case:
    """A case in memory with the derived tables of the window that tonight's `growths` open. The caller closes it.

    Without growths: the window that ends with the last stamp, to be judged anew.
    """
    _mark(case, growths, lookback_s)
    facts = {name: _facts(case, name) for name in fact_tables()}
    sources = read_frame(case.connection, _sql("window_sources"))
    copy = Case(None)
    insert_frame(copy.connection, "meta.sources", sources)
    lines = _first_lines(facts)
    insert_frame(case.connection, "window_lines", lines)
    for table, sql in (("evidence_lines", _sql("kept_lines")), ("unrecognised", _sql("unrecognised"))):
        insert_frame(copy.connection, f"meta.{table}", read_frame(case.connection, sql))
    dated = sources.select("source_id", "path", "format", "side", modified_at=_moment("modified_ns")).sort("path")
    copy.write_derived(correlate(facts, dated, tz))
    create_views(copy.connection)
    return copy


def _mark(case: Case, growths: Sequence[Growth], lookback_s: float) -> None:
    """Make the temporary tables that say which facts belong to the window."""
    con = case.connection
    union = " UNION ALL ".join(
        f"SELECT source_id, byte_offset, stamp, '{name}' AS kind FROM facts.{name}" for name in fact_tables()
    )
    con.execute(f"CREATE OR REPLACE TEMP VIEW all_facts AS {union}")
    con.execute("CREATE OR REPLACE TEMP TABLE window_growths (source_id UBIGINT, from_bytes BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE window_lines (source_id UBIGINT, first_line INTEGER)")
    rows = [(growth.source_id, growth.from_bytes) for growth in growths]
    schema = {"source_id": pl.UInt64(), "from_bytes": pl.Int64()}
    insert_frame(con, "window_growths", pl.DataFrame(rows, schema=schema, orient="row"))
    ((first,),) = con.execute(_sql("first_new") if growths else "SELECT max(stamp) FROM all_facts").fetchall()
    since = first - timedelta(seconds=lookback_s) if isinstance(first, datetime) else None
    con.execute(_sql("begins"), {"since": since})


def _facts(case: Case, name: str) -> pl.DataFrame:
    begin = "state_offset" if name in _SETTINGS else "load_offset" if name in _LOADS else "from_offset"
    frame = read_frame(case.connection, _sql("window_facts").format(table=name, begin=begin))
    return frame.cast(fact_tables()[name].polars_schema())  # type: ignore[arg-type]


def _first_lines(facts: dict[str, pl.DataFrame]) -> pl.DataFrame:
    every = pl.concat([frame.select("source_id", "line_no") for frame in facts.values()])
    return every.group_by("source_id").agg(pl.col("line_no").min().alias("first_line")).sort("source_id")


def _moment(nanoseconds: str) -> pl.Expr:
    return (pl.col(nanoseconds) // 1000).cast(pl.Datetime("us"))
