"""Cases made of rows: derived tables and facts written directly, without any log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from investigator.casefile.case import Case
from investigator.casefile.derived import derived_tables
from investigator.casefile.frames import insert_frame
from investigator.views import create_views
from tests.diagnosis.make import attempt

#: The founding attempt as the logs tell it.
FOUNDING: dict[str, Any] = {
    "model": "v-128k",
    "model_key": "m",
    "work_id": "w",
    "session_id": "s",
    "agent": "openclaw",
    "try_no": 1,
    "asked_tokens": 146_760,
    "read_tokens": 131_072,
    "cached_tokens": 0,
    "window_tokens": 131_072,
    "native_window_tokens": 262_144,
    "overflow_action": "cut",
    "prefill_r0": 2891.0,
    "prefill_c": 2.889e-8,
    "prefill_spread": 0.09,
    "prefill_points": 7,
    "prefill_fitted_to_tokens": 74_560,
    "timeout_s": 300.0,
    "duration_s": 300.0,
    "outcome": "client_closed_before_first_byte",
    "failed": True,
    "slots": 1,
    "kv_type": "f16",
    "weights_bytes": 18_535_992_524,
    "kv_bytes_per_token": 98_304.0,
    "layers_total": 49,
    "memory_limit_bytes": 48 * 2**30,
    "memory_limit_basis": "3/4 of memory (64 GiB, Apple unified memory)",
}
ANSWERED = {**FOUNDING, "asked_tokens": 20_000, "read_tokens": 20_000, "outcome": "ok", "failed": False}


def founding_rows() -> list[dict[str, Any]]:
    """Three failed tries, and two answered calls."""
    tries = [attempt(f"t{n}", minute=10 * n, **{**FOUNDING, "try_no": n}) for n in (1, 2, 3)]
    answered = [attempt(f"ok{n}", minute=n, **{**ANSWERED, "work_id": f"ok{n}", "output_tokens": 40}) for n in (1, 2)]
    return [*answered, *tries]


def case_of(
    rows: list[dict[str, Any]],
    *,
    chip: str | None = "Apple M2 Ultra",
    parent: str | None = None,
    path: Path | None = None,
) -> Case:
    """An analysed case, in memory or at `path`, with these attempts, and the description of a machine of 64 GiB."""
    case = Case(path)
    frames = {name: table.empty() for name, table in derived_tables().items() if name != "coverage"}
    frames["attempts"] = pl.DataFrame(rows, schema=derived_tables()["attempts"].polars_schema())
    case.write_derived(frames)
    common = {"fact_id": 1, "source_id": 1, "line_no": 1, "byte_offset": 0, "lines": 1, "stamp_kind": "none"}
    if chip:
        host = {**common, "machine": "Mac Studio", "chip": chip, "memory_bytes": 64 * 2**30}
        insert_frame(case.connection, "facts.host_spec", pl.DataFrame([host]))
    if parent:
        spec = {**common, "origin": "modelfile", "parent_model": parent}
        insert_frame(case.connection, "facts.model_spec", pl.DataFrame([spec]))
    create_views(case.connection)
    return case
