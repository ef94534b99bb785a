"""One scan from end to end: read what is new, judge it, compare with the nights before, write pages, tell.

Interrupted at any moment, the next scan does what this one left: cursors commit with the facts, and what was read but
not judged is known by the book of nights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from investigator import __version__
from investigator.casefile.case import Case
from investigator.casefile.follow import FollowReport, Growth, follow
from investigator.casefile.ingest import Progress
from investigator.config import Config
from investigator.diagnosis.diagnose import diagnose
from investigator.diagnosis.model import Diagnosis, Incident
from investigator.errors import DeliveryProblem, InputProblem
from investigator.exits import Exit, worst
from investigator.pipeline import builtin_rules
from investigator.report.render import render
from investigator.report.write import write_report
from investigator.resources import rules_dir
from investigator.rulebook.findings import SEVERITIES
from investigator.rulebook.overrides import overridden, without_exceptions
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sandbox import evaluate_safely
from investigator.scan import journal
from investigator.scan.baselines import Drop, drops
from investigator.scan.book import Book, Findings, Night
from investigator.scan.history import remember
from investigator.scan.measured import measures, place_of
from investigator.scan.misses import Warning_, warnings
from investigator.scan.nearest import nearest_misses
from investigator.scan.nights import Seen, Told, compare, seen
from investigator.scan.pages import write_overview
from investigator.scan.versions import versions_of
from investigator.scan.window import window


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scan did. problems: what could not be used or delivered; codes: every exit code that holds."""

    night: int
    files: int
    read_bytes: int
    reason: str
    told: tuple[Told, ...]
    warnings: tuple[Warning_, ...]
    drops: tuple[Drop, ...]
    problems: tuple[str, ...]
    gaps: tuple[str, ...]
    codes: tuple[Exit, ...]
    reports: Path
    pages: tuple[str, ...] = ()

    @property
    def exit_code(self) -> Exit:
        return worst(self.codes)


def scan(
    config: Config, now: datetime, *, lookback_s: float | None = None, progress: Progress | None = None
) -> Outcome:
    """Scan once, as the configuration says. The caller holds the lock, and tells people afterwards.

    Raises CaseProblem when the case cannot be used; sources that cannot be read become problems.
    """
    path = config.resolved(config.settings.scan.case)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with Case(path) as case:
        case.connection.execute("SET memory_limit = ?", [f"{config.settings.scan.memory}B"])
        return _Scan(config, case, now, lookback_s or config.settings.scan.lookback, progress).run()


class _Scan:
    """One call of `scan`."""

    def __init__(self, config: Config, case: Case, now: datetime, lookback_s: float, progress: Progress | None) -> None:
        self._config, self._case, self._now = config, case, now
        self._lookback_s, self._progress = lookback_s, progress
        self._settings = config.settings.scan
        self._book = Book(case)
        self._problems: list[str] = []
        self._codes: list[Exit] = []
        self._streams: dict[str, str] = {}

    def run(self) -> Outcome:
        last = self._book.last()
        versions = versions_of([self._config.resolved(path) for path in self._settings.rules])
        followed = self._follow()
        growths = self._book.unjudged()
        changed = versions.changed(last.versions) if last else ""
        reason = f"judged anew, because of {changed}" if changed and not growths else ""
        night = Night(
            (last.night if last else 0) + 1, self._now, versions, followed.files, followed.read_bytes, reason, 0
        )
        if not growths and not reason:
            self._book.write(Findings(replace(night, exit_code=int(worst(self._codes)))))
            return self._outcome(night, followed)
        return self._judge(night, followed, growths)

    def _follow(self) -> FollowReport:
        inputs: list[str | Path] = [str(self._config.resolved(Path(source))) for source in self._settings.sources]
        spools = self._config.resolved(self._settings.case).parent / "journal"
        for unit in self._settings.journal:
            try:
                journal.fetch(spools, unit)
            except InputProblem as error:
                self._trouble(str(error), Exit.INCOMPLETE)
        if self._settings.journal and spools.is_dir():
            inputs.append(spools)
        followed = follow(inputs, self._case, progress=self._progress)
        for problem in followed.problems:
            if not problem.harmless:
                self._trouble(f"{problem.path}: {problem.message}", Exit.INCOMPLETE)
        return followed

    def _judge(self, night: Night, followed: FollowReport, growths: Sequence[Growth]) -> Outcome:
        rules = builtin_rules([self._config.resolved(path) for path in self._settings.rules])
        rules = overridden(rules, self._config.settings.rules, str(self._config.path))
        since = max(1, night.night - self._settings.warn.baseline_nights)
        with window(self._case, growths, self._lookback_s, self._settings.tz) as judged:
            evaluation, rules = evaluate_safely(judged.connection, rules, rules_dir())
            evaluation, suppressed = without_exceptions(evaluation, rules)
            diagnosis = diagnose(judged, rules, evaluation, tool_version=__version__, fail_on=self._settings.fail_on)
            diagnosis = replace(diagnosis, packs=rules.packs, suppressed=suppressed)
            tonight = measures(judged, self._case)
            near = nearest_misses(judged, evaluation, rules)
            sql = "SELECT attempt_id, stream FROM attempts WHERE stream IS NOT NULL"
            self._streams = dict(judged.connection.execute(sql).fetchall())
            remember(self._case, judged)
        told = self._compare(night, diagnosis, growths)
        pages = self._pages(night, diagnosis)
        worse = drops(tonight, self._book.measures(since), self._settings.warn.slower_by)
        warned = warnings(near, self._book.misses(since), self._settings.warn.closest_miss)
        self._rules_told(rules)
        if any(self._serious(t) for t in told) or worse:
            self._codes.append(Exit.FINDINGS)
        night = replace(night, exit_code=int(worst(self._codes)))
        self._book.write(Findings(night, told, pages, tonight, near))
        outcome = replace(
            self._outcome(night, followed), told=told, warnings=warned, drops=worse, pages=tuple(pages.values())
        )
        notes = [*outcome.gaps, *outcome.problems, *([night.reason] if night.reason else [])]
        write_overview(self._book, outcome.reports, night.night, warned, worse, notes)
        return outcome

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

    def _trouble(self, text: str, code: Exit) -> None:
        self._problems.append(text)
        self._codes.append(code)

    def _outcome(self, night: Night, followed: FollowReport) -> Outcome:
        return Outcome(
            night=night.night, files=night.files, read_bytes=night.read_bytes, reason=night.reason, told=(),
            warnings=(), drops=(), problems=tuple(self._problems), gaps=followed.gaps, codes=tuple(self._codes),
            reports=self._config.resolved(self._settings.reports),
        )  # fmt: skip


def _is_fresh(incident: Incident, new_from: Mapping[str, int]) -> bool:
    """Does one of its lines stand in what was read tonight? The rest of the window was told in an earlier night."""
    cited = [ref for finding in incident.findings for ref in finding.evidence]
    cited += [ref for attempt in incident.attempts for ref in attempt.evidence]
    return any(ref.source in new_from and ref.line_no >= new_from[ref.source] for ref in cited)


def _worth_telling(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple(incident for incident in incidents if incident.severity != "info")
