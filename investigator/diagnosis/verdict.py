"""The verdict in one sentence, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.incidents import severity_rank
from investigator.diagnosis.model import Incident, InputProblem, Verdict
from investigator.exits import Exit, worst
from investigator.rulebook.findings import Finding, RuleResult, Severity


def sentence(roots: Sequence[Finding], failed_calls: int) -> str:
    """One sentence over the roots of an incident: `3 calls failed: … ; and …`."""
    calls = f"{failed_calls} call{'s' if failed_calls != 1 else ''} failed"
    shorts = list(dict.fromkeys(_told(finding, quoting=len(roots) == 1) for finding in roots))
    if not shorts:
        return f"{calls}; no rule explains why."
    told = "; and ".join(shorts[:3])
    return f"{told[:1].upper()}{told[1:]}." if not failed_calls else f"{calls}: {told}."


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
        more = len(serious) - 1
        tail = f" ({more} more incident{'s' if more != 1 else ''} below.)" if more else ""
        return Verdict("cause_found", found[0].sentence + tail)
    minor_causes = [i for i in incidents if i.causes and i.impact.failed_calls]
    if not serious and failed and sum(i.impact.failed_calls for i in minor_causes) >= failed:
        return Verdict("cause_found", minor_causes[0].sentence)
    if serious or failed:
        which = serious[0].sentence if serious else f"{failed} calls failed; no rule explains why."
        return Verdict("unexplained", which)
    if not fact_lines:
        return Verdict("insufficient", "Nothing in these inputs says what a model server or an agent did.")
    if not attempts:
        return Verdict("insufficient", "No model call is recorded in these inputs, so nothing can be said of one.")
    minor = f"; {len(incidents)} remark{'s' if len(incidents) != 1 else ''} below" if incidents else ""
    calls = f"{attempts:,} model call{'s' if attempts != 1 else ''}"
    return Verdict("healthy", f"{calls} and no failure that needs attention{minor}.")


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
