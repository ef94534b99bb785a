"""The verdict in one sentence, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from investigator.diagnosis.incidents import severity_rank
from investigator.diagnosis.model import Incident, InputProblem, Verdict
from investigator.exits import Exit, worst
from investigator.rulebook.findings import Finding, RuleResult, Severity

#: A sentence names no more; the rest is counted.
_MOST_REASONS = 3


def reasons(roots: Sequence[Finding], explained: Mapping[str, frozenset[str]]) -> tuple[Finding, ...]:
    """The roots that a sentence has to name. `explained`: rule → ids of the failed calls it speaks of.

    Each that adds a call to what those before it explain. Where one explains all, the next is named beside it if it is
    as bad: a call may need both mended.
    """
    if not roots:
        return ()
    covered: set[str] = set()
    adding = []
    for finding in roots:
        calls = explained.get(finding.rule, frozenset())
        if calls - covered:
            adding.append(finding)
            covered |= calls
    first, *others = roots
    beside = [f for f in others[:1] if severity_rank(f.severity) >= severity_rank(first.severity)]
    return tuple(adding if len(adding) > 1 else [first, *beside])


def sentence(told: Sequence[Finding], failed_calls: int) -> str:
    """One sentence over the reasons of an incident: `3 calls failed: … ; and …`."""
    calls = f"{_count(failed_calls, 'call')} failed"
    shorts = list(dict.fromkeys(_told(finding, quoting=len(told) == 1) for finding in told))
    if not shorts:
        return f"{calls}; no rule explains why."
    if len(shorts) > 2:
        calls = f"{calls} for {len(shorts)} reasons"
        more = len(shorts) - _MOST_REASONS
        clauses = "; ".join([*shorts[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else [])])
    else:
        clauses = "; and ".join(shorts)
    return f"{calls}: {clauses}." if failed_calls else f"{_capital(clauses)}."


def _capital(text: str) -> str:
    """With a capital, unless the sentence begins with the name of a setting."""
    return text if "_" in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"


def _told(finding: Finding, *, quoting: bool) -> str:
    """Its short text; where that is what a log said, the title says what it means; several quotes are no sentence."""
    quote = f'"{finding.short}"'
    if quote not in finding.long:
        return _clause(finding.short)
    return f"{_clause(finding.title)} ({quote})" if quoting else _clause(finding.title)


def _clause(text: str) -> str:
    text = text.strip().rstrip(".")
    # A lower-case start reads on after the colon; names and numbers stay as they are.
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def verdict(incidents: Sequence[Incident], attempts: int, fact_lines: int, failed: int) -> Verdict:
    """What is told of the whole case. `attempts`, `failed`: model calls; `fact_lines`: lines that said anything."""
    serious = [i for i in incidents if severity_rank(i.severity) >= severity_rank("medium")]
    found = [i for i in serious if i.causes]
    if found:
        return Verdict("cause_found", found[0].sentence + _below(len(serious) - 1, len(incidents) - len(serious)))
    minor_causes = [i for i in incidents if i.causes and i.impact.failed_calls]
    if not serious and failed and sum(i.impact.failed_calls for i in minor_causes) >= failed:
        return Verdict("cause_found", minor_causes[0].sentence + _below(0, len(incidents) - 1))
    if serious or failed:
        which = serious[0].sentence if serious else f"{failed} calls failed; no rule explains why."
        return Verdict("unexplained", which)
    if not fact_lines:
        return Verdict("insufficient", "Nothing in these inputs says what a model server or an agent did.")
    if not attempts:
        return Verdict("insufficient", "No model call is recorded in these inputs, so nothing can be said of one.")
    minor = f"; {_count(len(incidents), 'remark')} below" if incidents else ""
    calls = _count(attempts, "model call")
    return Verdict("healthy", f"{calls} and no failure that needs attention{minor}.")


def _below(incidents: int, remarks: int) -> str:
    """What follows beside the first incident. Remarks: incidents of lower severity than medium."""
    counts = [_count(incidents, "more incident")] * bool(incidents) + [_count(remarks, "remark")] * bool(remarks)
    return f" ({' and '.join(counts)} below.)" if counts else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def nothing_left(total: int) -> Verdict:
    """Of a case that was narrowed until none of its `total` model calls was left."""
    return Verdict("insufficient", f"None of the {total:,} model calls is in what was asked for.")


def exit_code(
    incidents: Sequence[Incident], problems: Sequence[InputProblem], results: Sequence[RuleResult], fail_on: Severity
) -> tuple[int, tuple[str, ...]]:
    """The exit code with every reason that holds; the worst code wins."""
    codes: list[Exit] = []
    reasons: list[str] = []
    serious = [i for i in incidents if severity_rank(i.severity) >= severity_rank(fail_on)]
    if serious:
        codes.append(Exit.FINDINGS)
        reasons.append(f"{len(serious)} incident{'s' if len(serious) != 1 else ''} of severity {fail_on} or higher")
    if problems:
        codes.append(Exit.INCOMPLETE)
        reasons += [f"{problem.path}: {problem.message}" for problem in problems]
    broken = [result.rule for result in results if result.outcome == "error" or result.counts.get("error")]
    if broken:
        codes.append(Exit.INCOMPLETE)
        reasons.append("rules that could not run: " + ", ".join(broken))
    return int(worst(codes)), tuple(reasons)
