"""The library's own commands: read logs into a case, judge it, and hand over a diagnosis.

Each command of the program ends in one of these calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from investigator import __version__
from investigator.casefile.case import Case
from investigator.casefile.frames import read_frame
from investigator.casefile.ingest import IngestReport, Progress, ingest
from investigator.correlate import correlate
from investigator.correlate.narrow import Narrowed, Narrowing, narrow
from investigator.diagnosis.diagnose import diagnose
from investigator.diagnosis.model import Diagnosis
from investigator.diagnosis.verdict import nothing_left
from investigator.errors import UsageProblem
from investigator.planning.advise import with_machines
from investigator.planning.catalogue import Catalogue, load_catalogue
from investigator.resources import cache_dir, rules_dir
from investigator.rulebook.findings import Severity
from investigator.rulebook.load import load_rules
from investigator.rulebook.overrides import without_exceptions
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sandbox import evaluate_safely
from investigator.views import create_views

_NARROWED = (
    "attempts", "requests", "model_loads", "agent_calls", "runs", "server_events", "operands",
)  # fmt: skip

__all__ = ["IngestReport", "analyze", "builtin_rules", "ingest", "investigate", "prepare"]


def builtin_rules(extra: Sequence[Path] = ()) -> RuleSet:
    """The built-in pack and `extra` packs or rule files, without their inline tests."""
    return load_rules([rules_dir(), *extra], with_tests=False, cache_folder=cache_dir())


def prepare(case: Case, tz: str | None = None) -> None:
    """Rebuild the derived tables from the facts and make the views over them, so that rules and users can query.

    `tz`: IANA name of the zone of local times where the logs do not tell it. Raises UsageProblem if there is none such.
    """
    if tz is not None:
        _check_zone(tz)
    case.write_derived(correlate(case.facts(), case.sources(), tz))
    create_views(case.connection)


@contextmanager
def narrowed(case: Case, narrowing: Narrowing, tz: str | None = None) -> Iterator[Narrowed | None]:
    """`prepare`, with derived tables that hold only what `narrowing` asks for while this lasts; then all of them again.

    Raises UsageProblem when there is no such run or model.
    """
    prepare(case, tz)
    if not narrowing.asked:
        yield None
        return
    whole = {name: read_frame(case.connection, f"FROM derived.{name}") for name in _NARROWED}
    part, told = narrow(whole, narrowing, tz)
    case.write_derived(part)
    try:
        yield told
    finally:
        case.write_derived(whole)


def _check_zone(tz: str) -> None:
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageProblem(f"there is no time zone {tz!r}", hint="name one such as Europe/Berlin or UTC") from error


def analyze(
    case: Case,
    rules: RuleSet | None = None,
    fail_on: Severity = "medium",
    *,
    tz: str | None = None,
    catalogue: Catalogue | None = None,
    narrowing: Narrowing | None = None,
    timer: Callable[[], float] | None = None,
) -> Diagnosis:
    """Correlate, evaluate and diagnose what the case holds. Rebuilds the derived tables; `tz` as in `prepare`.

    catalogue: machines that the load is put on; None: the built-in ones. narrowing: what alone is judged and shown.
    timer: fills the seconds of each rule.
    """
    rules = rules or builtin_rules()
    with narrowed(case, narrowing or Narrowing(), tz) as part:
        evaluation, rules = evaluate_safely(case.connection, rules, rules_dir(), timer)
        evaluation, suppressed = without_exceptions(evaluation, rules)
        diagnosis = diagnose(case, rules, evaluation, tool_version=__version__, fail_on=fail_on)
        diagnosis = replace(diagnosis, packs=rules.packs, suppressed=suppressed, narrowed=part)
        if part is not None and not part.kept and not diagnosis.incidents:
            diagnosis = replace(diagnosis, verdict=nothing_left(part.total))
        return with_machines(case.connection, rules, diagnosis, catalogue or load_catalogue())


def investigate(
    inputs: Sequence[str | Path],
    case_path: Path | None = None,
    rules: RuleSet | None = None,
    fail_on: Severity = "medium",
    progress: Progress | None = None,
    *,
    tz: str | None = None,
) -> Diagnosis:
    """The main job: read `inputs`, judge, and return the diagnosis. `case_path` None leaves no case file behind."""
    with Case(case_path) as case:
        ingest(inputs, case, progress)
        return analyze(case, rules, fail_on, tz=tz)
