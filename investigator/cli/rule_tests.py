"""What `rules test` prints: results as text, JSON or JUnit XML, mutants that survived, parts that no test saw."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from investigator.cli.terminal import print_json, print_table, shown, stdout, table

if TYPE_CHECKING:
    from investigator.rulebook.coverage import Coverage
    from investigator.rulebook.mutate import MutationResult
    from investigator.rulebook.testing import TestResult

#: Survivors shown of one rule, unless -v.
_SHOWN = 10


def state(result: TestResult) -> str:
    """passed, failed or skipped."""
    return "skipped" if result.skipped else "passed" if result.passed else "failed"


def print_results(results: Sequence[TestResult], verbose: bool) -> None:
    """Failures with what was expected, and the sums."""
    console = stdout()
    styles = {"skipped": "yellow", "passed": "green", "failed": "bold red"}
    for result in results:
        if result.failures or verbose:
            word = state(result).upper() if result.failures else state(result)
            console.print(shown(f"{word:<8}", styles[state(result)]), shown(f"{result.rule}: {result.test}"))
        for failure in result.failures:
            console.print(shown(f"         {failure}"))
    failed, skipped = (sum(state(result) == each for result in results) for each in ("failed", "skipped"))
    tail = f", {skipped} skipped" if skipped else ""
    console.print(
        f"{len(results) - failed - skipped} passed, {failed} failed{tail}", style="bold red" if failed else "bold green"
    )


def print_json_results(results: Sequence[TestResult]) -> None:
    """A list of tests with their state and failures."""
    print_json([{"rule": r.rule, "test": r.test, "file": r.path, "state": state(r), "failures": list(r.failures)}
                for r in results])  # fmt: skip


def print_junit(results: Sequence[TestResult]) -> None:
    """JUnit XML: a suite for each rule."""
    root = ET.Element("testsuites", name="investigator rules test")
    for rule, group in groupby(results, key=lambda result: result.rule):
        mine = list(group)
        suite = ET.SubElement(root, "testsuite", name=rule, tests=str(len(mine)), errors="0",
                              failures=str(sum(state(r) == "failed" for r in mine)),
                              skipped=str(sum(r.skipped for r in mine)))  # fmt: skip
        for result in mine:
            case = ET.SubElement(suite, "testcase", classname=rule, name=_xml(result.test), file=result.path)
            if result.skipped:
                ET.SubElement(case, "skipped")
            elif result.failures:
                text = "\n".join(result.failures)
                ET.SubElement(case, "failure", message=_xml(result.failures[0])).text = _xml(text)
    ET.indent(root)
    sys.stdout.write('<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def print_mutation(results: Sequence[MutationResult], verbose: bool) -> float:
    """Survivors with their lines, the score of each rule; gives the score of all. Verbose: accepted ones, and why."""
    console = stdout()
    numbers = ("killed", "of", "score", "accepted", "no mistake")
    rows = table("rule", *numbers, numeric=numbers)
    for result in sorted(results, key=lambda each: (each.score, each.rule)):
        counts = result.killed, result.counted, f"{result.score:.0%}", len(result.accepted), result.equivalent
        rows.add_row(result.rule, *map(str, counts))
        told = result.survivors if verbose else result.survivors[:_SHOWN]
        for survivor in told:
            said = f"no test notices in {survivor.at}: {survivor.change}"
            console.print(shown(f"{result.path}:{survivor.line}: {said}"), soft_wrap=True)
        if len(told) < len(result.survivors):
            console.print(f"  {len(result.survivors) - len(told)} more in this rule (-v)", style="dim")
        for survivor in result.accepted if verbose else ():
            said = f"accepted in {survivor.at}: {survivor.change} ({survivor.reason})"
            console.print(shown(f"{result.path}:{survivor.line}: {said}"), soft_wrap=True)
    print_table(rows)
    killed, counted = sum(r.killed for r in results), sum(r.counted for r in results)
    score = killed / counted if counted else 0.0
    accepted = sum(len(r.accepted) for r in results)
    tail = f"; {accepted:,} accepted with a reason" if accepted else ""
    console.print(f"{killed:,} of {counted:,} mutants killed: {score:.1%}{tail}", style="bold")
    return score


def print_coverage(found: Sequence[Coverage]) -> None:
    """Parts of each rule that no test has seen at work."""
    rows = table("rule", "seen", "of", "not seen by any test", numeric=("seen", "of"), whole=("rule",))
    for each in sorted(found, key=lambda one: (one.share, one.rule)):
        rows.add_row(each.rule, str(len(each.seen)), str(len(each.seen) + len(each.missed)), ", ".join(each.missed))
    print_table(rows)


def _xml(text: str) -> str:
    """Without the control characters that XML 1.0 has no way to write."""
    return "".join(char if char >= " " or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
