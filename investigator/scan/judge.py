"""Judge what a night brought: rules, diagnosis, comparison with the nights before, and the pages.

Apart from `run`, because it needs most of the program: a night without news ends without loading it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from investigator import __version__
from investigator.casefile.case import Case
from investigator.casefile.follow import Growth
from investigator.config import Config
from investigator.diagnosis.diagnose import diagnose
from investigator.diagnosis.model import Diagnosis, Incident
from investigator.errors import DeliveryProblem
from investigator.exits import Exit
from investigator.pipeline import builtin_rules
from investigator.report.render import render
from investigator.report.write import write_report
from investigator.resources import rules_dir
from investigator.rulebook.findings import SEVERITIES
from investigator.rulebook.overrides import overridden, without_exceptions
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sandbox import evaluate_safely
from investigator.scan.baselines import Drop, Measure, drops
from investigator.scan.book import Book, Night
from investigator.scan.history import remember
from investigator.scan.measured import measures, place_of
from investigator.scan.misses import Miss, Warning_, warnings
from investigator.scan.nearest import nearest_misses
from investigator.scan.nights import Seen, Told, compare, seen
from investigator.scan.window import window


@dataclass(frozen=True, slots=True)
class Judged:
    """What is told and kept of a night. pages: path below the folder of reports, by identity of the incident."""

    told: tuple[Told, ...]
    warnings: tuple[Warning_, ...]
    drops: tuple[Drop, ...]
    pages: Mapping[str, str]
    measures: tuple[Measure, ...]
    near: tuple[Miss, ...]
    serious: bool


class Judge:
    """Judges one night. `trouble` is told what could not be used or written."""

    def __init__(self, config: Config, book: Book, trouble: Callable[[str, Exit], None]) -> None:
        self._config, self._book, self._trouble = config, book, trouble
        self._settings = config.settings.scan
        self._streams: dict[str, str] = {}

    def judge(self, case: Case, night: Night, growths: Sequence[Growth], lookback_s: float) -> Judged:
        """Judge the window around what is new, and write the pages of its incidents."""
        rules = builtin_rules([self._config.resolved(path) for path in self._settings.rules])
        rules = overridden(rules, self._config.settings.rules, str(self._config.path))
        since = max(1, night.night - self._settings.warn.baseline_nights)
        with window(case, growths, lookback_s, self._settings.tz) as judged:
            evaluation, rules = evaluate_safely(judged.connection, rules, rules_dir())
            evaluation, suppressed = without_exceptions(evaluation, rules)
            diagnosis = diagnose(judged, rules, evaluation, tool_version=__version__, fail_on=self._settings.fail_on)
            diagnosis = replace(diagnosis, packs=rules.packs, suppressed=suppressed)
            tonight = measures(judged, case)
            near = nearest_misses(judged, evaluation, rules)
            sql = "SELECT attempt_id, stream FROM attempts WHERE stream IS NOT NULL"
            self._streams = dict(judged.connection.execute(sql).fetchall())
            remember(case, judged)
        told = self._compare(night, diagnosis, growths)
        pages = self._pages(night, diagnosis)
        worse = drops(tonight, self._book.measures(since), self._settings.warn.slower_by)
        warned = warnings(near, self._book.misses(since), self._settings.warn.closest_miss)
        self._rules_told(rules)
        serious = any(self._serious(each) for each in told) or bool(worse)
        return Judged(told, warned, worse, pages, tonight, near, serious)

    def _compare(self, night: Night, diagnosis: Diagnosis, growths: Sequence[Growth]) -> tuple[Told, ...]:
        read = {place_of(growth.path) for growth in growths}
        read |= {f"agent {row.columns['agent']}" for row in diagnosis.attempts if row.columns.get("agent")}
        if night.reason:
            read = {known.seen.place for known in self._book.open_incidents().values()}
        new_from = {growth.path: growth.from_line for growth in growths}
        tonight = [
            self._seen(incident)
            for incident in _worth_telling(diagnosis.incidents)
            if night.reason or _is_fresh(incident, new_from)
        ]
        return compare(tonight, self._book.open_incidents(), night.night, frozenset(read))

    def _pages(self, night: Night, diagnosis: Diagnosis) -> dict[str, str]:
        """One page per incident; its path below the folder of reports, by identity."""
        folder = self._config.resolved(self._settings.reports)
        name = f"{night.started_at:%Y-%m-%d}-{night.night:04}"
        pages: dict[str, str] = {}
        for incident in _worth_telling(diagnosis.incidents):
            identity = self._seen(incident).identity
            if identity in pages:
                continue
            page = f"{name}/{identity}.html"
            try:
                data = render(replace(diagnosis, incidents=(incident,)), "html", lang=self._settings.lang)
                (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
                write_report(folder / page, data)
                pages[identity] = page
            except DeliveryProblem as problem:
                self._trouble(str(problem), Exit.UNDELIVERED)
        return pages

    def _seen(self, incident: Incident) -> Seen:
        """The incident with the log that it belongs to: the server's, else the agent by name, else its evidence's."""
        stream = next((self._streams[a.attempt_id] for a in incident.attempts if a.attempt_id in self._streams), None)
        agent = next((f"agent {a.columns['agent']}" for a in incident.attempts if a.columns.get("agent")), None)
        source = next((ref.source for finding in incident.findings for ref in finding.evidence), None)
        return seen(incident, place_of(stream) if stream else agent or (place_of(source) if source else ""))

    def _serious(self, told: Told) -> bool:
        least = SEVERITIES.index(self._settings.fail_on)
        return told.change != "gone" and SEVERITIES.index(told.seen.severity) >= least

    def _rules_told(self, rules: RuleSet) -> None:
        for problem in rules.problems:
            self._trouble(str(problem), Exit.INCOMPLETE)


def _is_fresh(incident: Incident, new_from: Mapping[str, int]) -> bool:
    """Does one of its lines stand in what was read tonight? The rest of the window was told in an earlier night."""
    cited = [ref for finding in incident.findings for ref in finding.evidence]
    cited += [ref for attempt in incident.attempts for ref in attempt.evidence]
    return any(ref.source in new_from and ref.line_no >= new_from[ref.source] for ref in cited)


def _worth_telling(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(incident for incident in incidents if incident.severity != "info")
