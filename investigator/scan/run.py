"""One scan from end to end: read what is new, judge it, compare with the nights before, write pages, tell.

Interrupted at any moment, the next scan does what this one left: cursors commit with the facts, and what was read but
not judged is known by the book of nights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from investigator.casefile.case import Case
from investigator.casefile.follow import FollowReport, Growth, follow
from investigator.casefile.ingest import Progress
from investigator.config import Config
from investigator.errors import InputProblem
from investigator.exits import Exit, worst
from investigator.scan import journal
from investigator.scan.baselines import Drop
from investigator.scan.book import Book, Findings, Night
from investigator.scan.misses import Warning_
from investigator.scan.nights import Told
from investigator.scan.versions import versions_of


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
        from investigator.scan.judge import Judge
        from investigator.scan.pages import write_overview

        judged = Judge(self._config, self._book, self._trouble).judge(self._case, night, growths, self._lookback_s)
        if judged.serious:
            self._codes.append(Exit.FINDINGS)
        night = replace(night, exit_code=int(worst(self._codes)))
        self._book.write(Findings(night, judged.told, judged.pages, judged.measures, judged.near))
        outcome = replace(
            self._outcome(night, followed), told=judged.told, warnings=judged.warnings, drops=judged.drops,
            pages=tuple(judged.pages.values()),
        )  # fmt: skip
        notes = [*outcome.gaps, *outcome.problems, *([night.reason] if night.reason else [])]
        write_overview(self._book, outcome.reports, night.night, judged.warnings, judged.drops, notes)
        return outcome

    def _trouble(self, text: str, code: Exit) -> None:
        self._problems.append(text)
        self._codes.append(code)

    def _outcome(self, night: Night, followed: FollowReport) -> Outcome:
        return Outcome(
            night=night.night, files=night.files, read_bytes=night.read_bytes, reason=night.reason, told=(),
            warnings=(), drops=(), problems=tuple(self._problems), gaps=followed.gaps, codes=tuple(self._codes),
            reports=self._config.resolved(self._settings.reports),
        )  # fmt: skip
