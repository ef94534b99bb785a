"""A diagnosis with what a purchase would have changed: the part of the report that stands before the shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb

from investigator.diagnosis.model import Diagnosis, Incident
from investigator.planning.catalogue import Catalogue
from investigator.planning.incidents import IncidentLoad, incident_loads
from investigator.planning.machines import compare_machines
from investigator.planning.measured import CaseFacts, read_measured
from investigator.planning.scenarios import Ground
from investigator.rulebook.pack import RuleSet

#: Incidents come by failed calls; replaying each on fifteen machines takes a second or two.
MOST_INCIDENTS = 3


def with_machines(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, diagnosis: Diagnosis, catalogue: Catalogue
) -> Diagnosis:
    """The diagnosis with `machines` of its first incidents, of those whose load another machine could change.

    That is: the size of a failed prompt and the model are known, and whatever did not help here was replayed too.
    """
    facts = read_measured(con, catalogue)
    return replace(diagnosis, incidents=tuple(_with_machines(con, rules, diagnosis, Ground(catalogue, facts, None))))


def _with_machines(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, diagnosis: Diagnosis, ground: Ground
) -> Iterator[Incident]:
    loads = {load.incident_id: load for load in incident_loads(con, diagnosis)}
    left = MOST_INCIDENTS
    for incident in diagnosis.incidents:
        load = loads.get(incident.incident_id)
        if load is None or not left or not _can_be_placed(load, ground.case):
            yield incident
            continue
        left -= 1
        on = replace_model(ground, load)
        yield replace(incident, machines=compare_machines(con, rules, load, on))


def replace_model(ground: Ground, load: IncidentLoad) -> Ground:
    """The same ground for the model of a load."""
    return Ground(ground.catalogue, ground.case, load.model(ground.case))


def _can_be_placed(load: IncidentLoad, case: CaseFacts) -> bool:
    model = load.model(case)
    asked = any(row["asked_tokens"] is not None for row in load.attempts)
    return asked and model is not None and (model.needs() is not None or model.speed() is not None)
