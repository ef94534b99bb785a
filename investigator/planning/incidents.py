"""The load of an incident: its failed attempts, its model, and the change of settings that it needs anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from investigator.casefile.frames import read_frame
from investigator.diagnosis.model import Diagnosis, Incident, World
from investigator.errors import UsageProblem
from investigator.planning.measured import CaseFacts, CaseModel
from investigator.planning.queries import query


@dataclass(frozen=True, slots=True)
class IncidentLoad:
    """`attempts`: rows of the view, failed ones only. `window_fix_tokens`: a larger window that saving needs.

    `causes`: titles of its roots. `what_would_help`: as the diagnosis says; empty where it was asked for without.
    """

    incident_id: str
    title: str
    attempts: tuple[Mapping[str, Any], ...]
    model_key: str | None
    window_fix_tokens: int | None
    causes: tuple[str, ...]
    what_would_help: tuple[World, ...]

    @property
    def enough(self) -> str | None:
        """The cheapest smallest set of changes that saves every call, in words; None if no such set is known."""
        sets = [world for world in self.what_would_help if world.saves == "yes" and world.minimal]
        best = min(sets, key=lambda world: (world.cost, len(world.changes)), default=None)
        return None if best is None else " and ".join(change.say for change in best.changes)

    def model(self, case: CaseFacts) -> CaseModel | None:
        """Its model as the case knows it."""
        return next((model for model in case.models if model.key == self.model_key), None)


def incident_loads(
    con: duckdb.DuckDBPyConnection, diagnosis: Diagnosis, incident_id: str | None = None
) -> tuple[IncidentLoad, ...]:
    """The loads of all incidents with failed calls, or of one. UsageProblem for an id that is not there."""
    chosen = [i for i in diagnosis.incidents if incident_id is None or i.incident_id.startswith(incident_id)]
    if incident_id is not None and len(chosen) != 1:
        ids = ", ".join(i.incident_id for i in diagnosis.incidents) or "none"
        raise UsageProblem(f"no incident is called {incident_id!r}", hint=f"incidents of this case: {ids}")
    loads = (_load(con, incident) for incident in chosen)
    return tuple(load for load in loads if load.attempts)


def _load(con: duckdb.DuckDBPyConnection, incident: Incident) -> IncidentLoad:
    ids: list[object] = [[row.attempt_id for row in incident.attempts]]
    rows = read_frame(con, query("failed"), ids).to_dicts()
    keys = [row["model_key"] for row in rows if row["model_key"] is not None]
    return IncidentLoad(
        incident_id=incident.incident_id,
        title=incident.title,
        attempts=tuple(rows),
        model_key=max(keys, key=keys.count) if keys else None,
        window_fix_tokens=_window_fix(rows),
        causes=tuple(line.title for line in incident.causes),
        what_would_help=incident.what_would_help,
    )


def _window_fix(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The model's own window, where a prompt was larger than the window that was set and would fit into that one."""
    fits = [
        int(row["native_window_tokens"])
        for row in rows
        if row["asked_tokens"] is not None
        and row["window_tokens"] is not None
        and row["native_window_tokens"] is not None
        and row["window_tokens"] < row["asked_tokens"] <= row["native_window_tokens"]
    ]
    return max(fits, default=None)
