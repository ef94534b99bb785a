"""Compare what the tool says with the labels of the shared corpus, and write docs/accuracy.md.

    make accuracy
    python benchmarks/accuracy.py --json accuracy.json --match timeout      # working on a few cases

A case is found first when the first cause named is its label or one of the label's `near` slugs (causes.yaml); a
healthy case when no incident of severity medium or higher is told.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.corpus import HEALTHY, ROOT, CaseResult, CorpusCase, Side, corpus_cases, shared_dir
from benchmarks.limited import run_cases

PAGE = ROOT / "docs" / "accuracy.md"
FIRST_TARGET, AMONG_TARGET = 0.95, 0.99
INTRODUCTION = """\
# Accuracy on the shared corpus

Written by `make accuracy`; do not edit. *Found first*: the first cause named is the label or one of its `near` slugs.
Causes of a case are ranked as the report ranks them: incident by incident, each with its causes in order. On a healthy
case the right answer is no incident of severity medium or higher; anything else is a false alarm.
Targets, for sure labels: {first:.0%} found first, {among:.0%} among the first three; no false alarm.
"""
SIDES: tuple[Side, ...] = ("server logs", "agent runs")


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with what was said of it. place: 1-based rank of the first right cause, None when it is not named."""

    case: CorpusCase
    result: CaseResult
    place: int | None

    @property
    def first(self) -> bool:
        return self.place == 1

    @property
    def among_three(self) -> bool:
        return self.place is not None and self.place <= 3

    @property
    def false_alarm(self) -> bool:
        return self.case.cause == HEALTHY and bool(self.result.serious)


def score(case: CorpusCase, result: CaseResult) -> Scored:
    """Rank of the right answer. A remark of low severity does not make a healthy case wrong; a traceback does."""
    if result.error is not None:
        return Scored(case, result, None)
    if case.cause == HEALTHY:
        return Scored(case, result, None if result.serious else 1)
    places = (place for place, cause in enumerate(result.ranked, start=1) if cause in case.accepted)
    return Scored(case, result, next(places, None))


def page(scored: Sequence[Scored]) -> str:
    """The whole of docs/accuracy.md: no seconds and no machine's paths in it, so that only answers change it."""
    lines = INTRODUCTION.format(first=FIRST_TARGET, among=AMONG_TARGET).splitlines()
    for side in SIDES:
        part = [s for s in scored if s.case.side == side]
        lines += ["", f"## {side.capitalize()}", "", *_totals(part), "", *_causes(part), "", *_lines_read(part)]
        lines += _misses(part)
    return "\n".join(lines) + "\n"


def _totals(part: Sequence[Scored]) -> list[str]:
    rows = [("all", part), ("sure labels", [s for s in part if s.case.confident])]
    healthy = [s for s in part if s.case.cause == HEALTHY]
    return [
        *_header("labels", "cases", "found first", "among first three", "missed"),
        *(_row(name, *_counts(group, with_share=True)) for name, group in rows),
        "",
        f"False alarms on healthy cases: {sum(s.false_alarm for s in healthy)} of {len(healthy)}. "
        f"Ended with an error: {sum(s.result.error is not None for s in part)}. "
        f"Rules that broke: {len({rule for s in part for rule in s.result.broken})}.",
    ]


def _causes(part: Sequence[Scored]) -> list[str]:
    ordered = sorted(part, key=lambda s: s.case.cause)
    return [
        *_header("cause", "cases", "found first", "among first three", "missed"),
        *(_row(cause, *_counts(list(group))) for cause, group in groupby(ordered, key=lambda s: s.case.cause)),
    ]


def _counts(group: Sequence[Scored], *, with_share: bool = False) -> list[str]:
    total, first, among = len(group), sum(s.first for s in group), sum(s.among_three for s in group)

    def show(count: int) -> str:
        return f"{count} ({count / total:.1%})" if with_share and total else str(count)

    return [str(total), show(first), show(among), show(total - among)]


def _lines_read(part: Sequence[Scored]) -> list[str]:
    """The account of all lines by format, and what was not read at all."""
    files = sorted((f for s in part for f in s.result.files), key=lambda f: f.format)
    rows = []
    for format_, group in groupby(files, key=lambda f: f.format):
        rows.append(_account(format_, [(f.lines, f.facts, f.noise, f.foreign, f.unrecognised) for f in group]))
    total = _account("**all**", [(f.lines, f.facts, f.noise, f.foreign, f.unrecognised) for f in files])
    unread = Counter(kind for s in part for _, kind in s.result.unread)
    told = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in sorted(unread.items())) or "none"
    header = _header("format", "files", "lines", "facts", "noise", "foreign", "unrecognised", "understood")
    return [*header, *rows, total, "", f"Files not read: {told}."]


def _account(name: str, counts: Sequence[tuple[int, int, int, int, int]]) -> str:
    lines, facts, noise, foreign, unrecognised = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0,) * 5
    )
    understood = f"{(lines - unrecognised) / lines:.1%}" if lines else "–"
    return _row(name, str(len(counts)), *(f"{n:,}" for n in (lines, facts, noise, foreign, unrecognised)), understood)


def _misses(part: Sequence[Scored]) -> list[str]:
    missed = [s for s in part if not s.first]
    if not missed:
        return []
    rows = (_row(s.case.name, s.case.cause, "yes" if s.case.confident else "no", _said(s)) for s in missed)
    return ["", "Not found first:", "", *_header("case", "label", "sure", "said"), *rows]


def _said(scored: Scored) -> str:
    if scored.result.error is not None:
        return "error"
    return named(scored.result)


def named(result: CaseResult) -> str:
    """The first three causes in words, for tables and the terminal."""
    if not result.incidents:
        return "no incident"
    return ", ".join(result.ranked[:3]) or "unexplained"


def _header(*names: str) -> list[str]:
    return [
        _row(*names),
        _row("---", *("---:" if names[1] == "cases" or names[0] == "format" else "---" for _ in names[1:])),
    ]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def working(scored: Iterable[Scored]) -> list[dict[str, object]]:
    """Everything known of each case, for work on rules."""
    return [
        {
            "cause": s.case.cause,
            "side": s.case.side,
            "confident": s.case.confident,
            "place": s.place,
            "ranked": s.result.ranked,
            **asdict(s.result),
        }
        for s in scored
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare verdicts with the labels of the shared corpus.")
    parser.add_argument("--json", type=Path, help="also write everything known of each case to this file")
    parser.add_argument("--match", default="", help="only cases whose name contains this; the page is then not written")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds per case")
    options = parser.parse_args()
    cases = [case for case in corpus_cases(shared_dir()) if options.match in case.name]
    results = run_cases(cases, options.jobs, options.limit, _progress)
    scored = [score(case, result) for case, result in zip(cases, results, strict=True)]
    if options.json is not None:
        options.json.write_text(json.dumps(working(scored), indent=1), encoding="utf-8")
    text = page(scored)
    if options.match:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        print(
            "\n".join(line for side in SIDES for line in (side, *_totals([s for s in scored if s.case.side == side])))
        )
    return 1 if any(result.error is not None for result in results) else 0


def _progress(result: CaseResult) -> None:
    error = result.error.strip().splitlines()[-1] if result.error else named(result)
    print(f"{result.seconds:6.1f} s  {result.name}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
