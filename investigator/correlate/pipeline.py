"""Facts of a case → the derived tables: place in time, find loads, requests and calls, pair them, do the arithmetic."""

from __future__ import annotations

import polars as pl

from .agent_calls import find_calls
from .arrivals import with_arrival
from .attempts import join_sides
from .clock import place_in_time
from .events import events_table
from .loads import find_loads
from .memory import devices_table, memory_limits
from .numbers import attempts_table, with_arithmetic
from .pairing import Pairing, pair
from .requests import find_requests, requests_table
from .runs import runs_table
from .schema import FactFrames, conform, with_all_tables
from .sourced import bare, operands_of
from .specs import with_specs
from .stays import loads_table, with_ends
from .stretches import cut_into_stretches

_EVERY_OPERAND = 20_000  # above this many attempts only those that a rule may cite get operands


def correlate(facts: FactFrames, sources: pl.DataFrame, tz: str | None = None) -> dict[str, pl.DataFrame]:
    """All derived tables except coverage, with exactly the columns and types of derived.yaml.

    `facts`: fact table → frame (facts.yaml); missing tables count as empty. `sources`: source_id, path, format, side,
    and if known modified_at. `tz`: zone of local times where the logs do not tell it (an IANA name).
    Pure and deterministic: the same facts in any order give the same tables.
    """
    dated = ["modified_at"] if "modified_at" in sources.columns else []
    known_sources = sources.select(pl.col("source_id").cast(pl.UInt64), "path", "format", "side", *dated)
    placed = cut_into_stretches(place_in_time(with_all_tables(facts), known_sources, tz))
    found = with_specs(find_loads(placed), placed)
    requests = with_arrival(find_requests(placed, found))
    loads = with_ends(found, requests, placed)
    possible = find_calls(placed)
    pairing = pair(possible.units, requests)
    seen = possible.confirmed(pairing.pairs["call"])
    calls, units = seen.calls, seen.units
    attempts = with_arithmetic(join_sides(requests, units, loads, pairing), placed, memory_limits(placed))
    shown = attempts_table(attempts)
    tables = {
        "attempts": shown,
        "requests": requests_table(requests),
        "model_loads": loads_table(loads),
        "agent_calls": _calls_table(calls, pairing),
        "runs": runs_table(shown, calls, placed),
        "server_events": events_table(placed, requests),
        "devices": devices_table(placed),
        "operands": _operands(attempts, loads, known_sources),
    }
    return {name: conform(name, frame) for name, frame in tables.items()}


def _calls_table(calls: pl.DataFrame, pairing: Pairing) -> pl.DataFrame:
    best = sorted(pairing.clocks, key=lambda clock: (-clock.offset.pairs, clock.clock))
    rows = [(c.agent, c.offset.seconds if not c.offset.relative else None, c.offset.basis) for c in best]
    schema = {"agent": pl.String, "clock_offset_s": pl.Float64, "clock_offset_basis": pl.String}
    offsets = pl.DataFrame(rows, schema=schema, orient="row").unique("agent", keep="first", maintain_order=True)
    return bare(calls).join(offsets, on="agent", how="left", maintain_order="left").with_columns(evidence="lines")


def _operands(attempts: pl.DataFrame, loads: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    cited = attempts
    if attempts.height > _EVERY_OPERAND:
        cited = attempts.filter("wants_spread")
    return pl.concat(
        [operands_of(cited, "attempts", "attempt_id", sources), operands_of(loads, "model_loads", "load_id", sources)]
    )
