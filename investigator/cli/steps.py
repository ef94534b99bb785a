"""The steps that several commands are made of: read, judge, hand over. Each tells its problems on standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from investigator.cli.options import STDOUT
from investigator.cli.progress import reading, working
from investigator.cli.terminal import complain, stdout
from investigator.errors import CaseProblem, DeliveryProblem, UsageProblem

if TYPE_CHECKING:
    from investigator.casefile.case import Case
    from investigator.casefile.ingest import IngestReport
    from investigator.correlate.narrow import Narrowing
    from investigator.diagnosis.model import Diagnosis
    from investigator.formats.base import Format
    from investigator.report import Redaction
    from investigator.rulebook.findings import Severity
    from investigator.rulebook.pack import RuleSet


def read(
    inputs: Sequence[str | Path], case: Case, quiet: bool, formats: Sequence[Format] = (), *, named: bool = True
) -> IngestReport:
    """Ingest with progress; what could not be used is told as `path: message`.

    formats: those of the user's mappings. named: the user named the inputs, so that a useless one is worth a message.
    """
    from investigator.casefile.ingest import ingest

    with reading(quiet) as progress:
        report = ingest(inputs, case, progress, formats=formats, named=named)
    for problem in report.problems:
        if not problem.harmless:
            complain(f"{problem.path}: {problem.message}")
    left_out = Counter(problem.kind for problem in report.problems if problem.harmless)
    if left_out and not quiet:
        kinds = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(left_out.items()))
        complain(f"left out, as nothing in them can be used: {kinds} (the report lists them)")
    return report


def load(rule_paths: Sequence[Path]) -> RuleSet:
    """The built-in rules and those at `rule_paths`; bad ones are told, the others run."""
    from investigator.pipeline import builtin_rules

    for path in rule_paths:
        if not path.exists():
            raise UsageProblem("no such rule file or folder", hint="check the path given to --rules", path=path)
    rules = with_overrides(builtin_rules(rule_paths))
    for problem in rules.problems:
        complain(str(problem))
    return rules


def with_overrides(rules: RuleSet) -> RuleSet:
    """The rules as the configuration that holds here changes them."""
    from investigator.cli.config import configured
    from investigator.rulebook.overrides import overridden

    config = configured(None)
    if not config.settings.rules:
        return rules
    return overridden(rules, config.settings.rules, str(config.path))


@dataclass(frozen=True)
class Judging:
    """How a case is judged. tz: zone of times whose zone no log tells; narrowing: what alone is judged, None: all;
    profile: time the rules.
    """

    fail_on: Severity
    tz: str | None = None
    narrowing: Narrowing | None = None
    profile: bool = False


def judge(case: Case, rules: RuleSet, quiet: bool, how: Judging) -> Diagnosis:
    """Correlate, evaluate and diagnose."""
    import time

    from investigator.cli import planned
    from investigator.pipeline import analyze

    own = planned.catalogue(None)
    with working("rebuilding calls and checking rules", quiet):
        timer = time.process_time if how.profile else None
        return analyze(case, rules, how.fail_on, tz=how.tz, catalogue=own, narrowing=how.narrowing, timer=timer)


def tell_slowest(diagnosis: Diagnosis, most: int = 15) -> None:
    """The rules that took longest, on standard error; those of foreign packs are timed by their own process."""
    slowest = sorted(diagnosis.rules, key=lambda result: (-result.seconds, result.rule))[:most]
    total = sum(result.seconds for result in diagnosis.rules)
    complain(f"{len(diagnosis.rules)} rules, {total:.2f} s of computing; the slowest:")
    for result in slowest:
        complain(f"{result.seconds:8.3f} s  {result.rule}  {sum(result.counts.values()):,} candidates")


def existing(case: Path) -> Path:
    """The path of a case that is there: commands that read a case must not make an empty one."""
    if not case.is_file():
        raise CaseProblem("no such case file", hint="make one with: investigator ingest PATH… --case FILE", path=case)
    return case


def check_output(output: str | None) -> None:
    """Refuse a report that could not be written before hours of logs are read."""
    if output in (None, STDOUT):
        return
    path = Path(str(output))
    if path.is_dir():
        raise UsageProblem(
            "the report needs a file name, this is a folder", hint=f"-o {path / 'report.html'}", path=path
        )
    if not path.absolute().parent.is_dir():
        raise UsageProblem(
            "the folder of the report does not exist", hint="make it, or choose another with -o", path=path
        )


def deliver(
    diagnosis: Diagnosis, output: str, format_: str, redaction: Redaction | None = None, lang: str = "en"
) -> None:
    """Render and write the report. Raises DeliveryProblem when the redaction gate finds a secret in it."""
    from investigator.report import REDACT, render, write_report

    try:
        data = render(diagnosis, format_, redaction or REDACT, lang)
    except DeliveryProblem as problem:
        problem.path = problem.path or output
        raise
    if output == STDOUT:
        write_bytes(data)
    else:
        write_report(Path(output), data)


def write_bytes(data: bytes) -> None:
    """Bytes to standard output, whatever its encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def tell(
    diagnosis: Diagnosis,
    report: str | None = None,
    case: Path | None = None,
    redaction: Redaction | None = None,
    lang: str = "en",
) -> None:
    """The verdict on one screen."""
    from investigator.cli.verdict import print_verdict

    print_verdict(stdout(), diagnosis, report, None if case is None else str(case), redaction, lang)
