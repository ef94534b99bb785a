"""`fit_table` from names: of the catalogue, of a case, or of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from investigator.errors import UsageProblem
from investigator.planning.catalogue import Catalogue
from investigator.planning.fit import FitTable, Plan, fit_table
from investigator.planning.measured import CaseFacts, CaseModel
from investigator.planning.needs import Budget, budget_of, needs_of
from investigator.planning.speed import Speeds


@dataclass(frozen=True, slots=True)
class Where:
    """A machine of the catalogue and its memory (of each card); None: not named."""

    machine: str | None = None
    memory_gib: float | None = None


def fit_model(
    catalogue: Catalogue,
    model: str,
    plan: Plan | None = None,
    contexts: Sequence[int] = (),
    *,
    where: Where | None = None,
    quant: str | None = None,
    case: CaseFacts | None = None,
) -> FitTable:
    """The table of a model by name. `case`: what its logs say of model and machine comes first.

    Raises UsageProblem for a name that means no entry, or several.
    """
    machine, memory_gib = (where.machine, where.memory_gib) if where else (None, None)
    own = case.model(model) if case else None
    spec = own.spec if own else catalogue.model(model)
    needs = own.needs() if own and quant is None else needs_of(spec, quant) if spec else None
    if needs is None:
        raise UsageProblem(f"neither the case nor the catalogue tells the size of {model!r}", hint="name its model")
    named = catalogue.machine(machine, memory_gib) if machine else case.machine if case and own else None
    if memory_gib is not None and named is None:
        raise UsageProblem("--memory is of a machine", hint="name it with --machine")
    speeds = Speeds(catalogue.benchmarks, catalogue.machines, catalogue.models)
    at_home = case is not None and case.machine is not None and named == case.machine
    measured = case.own(own) if case and own else None
    speed = speeds.of(named, spec, measured) if named else own.speed() if own and not machine else None
    return fit_table(needs, _budget(catalogue, machine, memory_gib, own, at_home), named, speed, plan, contexts)


def _budget(
    catalogue: Catalogue, machine: str | None, memory_gib: float | None, own: CaseModel | None, at_home: bool
) -> Budget | None:
    """The limit that the logs tell, where it is their machine that is meant; else the catalogue's."""
    logged = own.budget() if own else None
    if logged is not None and memory_gib is None and (machine is None or at_home):
        return logged
    return budget_of(catalogue.machine(machine, memory_gib), memory_gib) if machine else None
