"""From findings to a diagnosis: incidents with causes, what was ruled out, and what would have helped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from investigator.casefile.case import Case
from investigator.casefile.evidence import cite
from investigator.casefile.frames import read_frame
from investigator.diagnosis.account import assumptions, input_lines, input_problems, unpaired
from investigator.diagnosis.cause_lines import cause_lines, explained_by_rule
from investigator.diagnosis.charts import ReadingLaws, curve, memory
from investigator.diagnosis.collecting import Engine
from investigator.diagnosis.describe import attempt_row, busy_s, impact
from investigator.diagnosis.differential import differential
from investigator.diagnosis.fixes import fixes
from investigator.diagnosis.incidents import Group, Row, Span, group, severity_rank
from investigator.diagnosis.missed import nearest
from investigator.diagnosis.model import CauseLine, Diagnosis, Edge, EvidenceLine, Incident, TimelineMark, World
from investigator.diagnosis.queries import query
from investigator.diagnosis.ranking import likely_causes, rules_behind, weights
from investigator.diagnosis.timeline import marks, spans
from investigator.diagnosis.turns import Turn, turns
from investigator.diagnosis.verdict import exit_code, reasons, sentence, verdict
from investigator.diagnosis.worlds import Replay
from investigator.rulebook.causes import staying
from investigator.rulebook.evaluate import Evaluation
from investigator.rulebook.findings import EvidenceRef, Finding, Label, Severity
from investigator.rulebook.pack import RuleSet

#: Answered requests that the charts may show; failed ones are all kept.
MOST_ANSWERED = 5000


def diagnose(
    case: Case,
    rules: RuleSet,
    evaluation: Evaluation,
    *,
    tool_version: str,
    fail_on: Severity = "medium",
    replay: bool = True,
) -> Diagnosis:
    """Diagnose an evaluated case. Reads the case's views and evidence; writes nothing.

    `replay` False leaves out what would have helped, which takes most of the time.
    """
    rows = read_frame(case.connection, "FROM attempts ORDER BY arrived_at NULLS LAST, attempt_id").to_dicts()
    attempts: dict[str, Row] = {str(row["attempt_id"]): row for row in rows}
    at_slot = turns(rows)
    laws = ReadingLaws(rows, _prefill_labels(case))
    work = _Diagnosing(case, rules, evaluation, attempts, at_slot, replay, busy_s(rows), _engines(case), laws)
    incidents = work.incidents()
    problems, notes = input_problems(case, rules)
    code, reasons = exit_code(incidents, problems, evaluation.results, fail_on)
    inputs = input_lines(case)
    failed = [row for row in rows if row["failed"]]
    answered = [row for row in rows if not row["failed"]][:MOST_ANSWERED]
    return Diagnosis(
        tool_version=tool_version,
        verdict=verdict(incidents, len(rows), sum(line.facts for line in inputs), len({r["call_id"] for r in failed})),
        incidents=incidents,
        rules=evaluation.results,
        inputs=inputs,
        problems=(*problems, *notes),
        assumptions=assumptions(case),
        evidence=_evidence(case, [ref for incident in incidents for ref in _cited(incident)]),
        spans=spans(rows),
        marks=_marks(case, rows),
        attempts=tuple(attempt_row(row, (), at_slot) for row in sorted(failed + answered, key=_by_time)),
        zone_offset_s=_zone_offset_s(failed + rows),
        unpaired=unpaired(rows),
        exit_code=code,
        exit_reasons=reasons,
        titles=_titles(rules),
    )


def _marks(case: Case, rows: Sequence[Row]) -> tuple[TimelineMark, ...]:
    """What else happened at the server while the attempts ran."""
    events = read_frame(case.connection, "FROM server_events ORDER BY happened_at NULLS LAST, event_id").to_dicts()
    whole = Span.of(rows, ())
    return marks(events, whole.start, whole.end)


def _zone_offset_s(rows: Sequence[Row]) -> int | None:
    """The server's zone: of the first row that knows it."""
    zones = (row["zone_offset_s"] for row in rows)
    return next((zone for zone in zones if isinstance(zone, int)), None)


def _titles(rules: RuleSet) -> dict[str, dict[str, str]]:
    """Language → the titles of the rules that have one in it, by the English one."""
    titles: dict[str, dict[str, str]] = {}
    for compiled in rules.rules:
        for language, said in compiled.rule.texts.items():
            titles.setdefault(language, {})[compiled.rule.title] = said.title
    return titles


def _engines(case: Case) -> dict[str, Engine]:
    """Stream → whose server wrote it. Streams of one server only."""
    rows = case.connection.sql(query("engines")).fetchall()
    return {stream: "llama-server" if engine == "llama-server" else "ollama" for stream, engine in rows}


def _by_time(row: Row) -> tuple[str, str]:
    return str(row["arrived_at"]), str(row["attempt_id"])


@dataclass(frozen=True, slots=True)
class _Diagnosing:
    """One call of `diagnose`: what is known and not changed while incidents are built."""

    case: Case
    rules: RuleSet
    evaluation: Evaluation
    attempts: Mapping[str, Row]
    at_slot: Mapping[str, Turn]
    replay: bool
    busy: Mapping[str, float]
    engines: Mapping[str, Engine]
    laws: ReadingLaws

    def incidents(self) -> tuple[Incident, ...]:
        """Ranked by the importance of their first cause, then severity, then time."""
        groups = group(self.evaluation.findings, self.evaluation.edges, self.attempts)
        covered = {
            row["attempt_id"] for g in groups if any(f.kind == "cause" for f in g.findings) for row in g.attempts
        }
        left = tuple(row for row in self.attempts.values() if row["failed"] and row["attempt_id"] not in covered)
        known = [g for g in groups if any(f.kind in ("cause", "symptom") for f in g.findings)]
        rest = [g for g in known if not any(f.kind == "cause" for f in g.findings)]
        told = [g for g in known if g not in rest]
        told += [Group(tuple(f for g in rest for f in g.findings), (), left)] if left else rest
        return tuple(incident for _, incident in sorted((self._ranked(g) for g in told), key=lambda pair: pair[0]))

    def _ranked(self, group_: Group) -> tuple[tuple[object, ...], Incident]:
        incident = self._incident(group_)
        weight = max(self._weights(group_).values(), default=0.0)
        place = (-weight, -severity_rank(incident.severity), str(incident.started_at), incident.incident_id)
        return place, incident

    def _engine(self, group_: Group) -> Engine:
        """Whose server the attempts used; Ollama where none says so, as the one that most have."""
        used = {self.engines.get(str(row["stream"])) for row in group_.attempts} or {None}
        return "llama-server" if used <= {"llama-server", None} and used != {None} else "ollama"

    def _incident(self, group_: Group) -> Incident:
        roots = self._roots(group_)
        behind = rules_behind(roots, self.evaluation.edges)
        causes = cause_lines(roots, group_, self._weights(group_), self._felt(roots), behind)
        ordered_roots = [next(f for f in roots if f.finding_id == line.finding_id) for line in causes]
        numbers = impact(group_.attempts, self.busy)
        span = Span.of(group_.attempts, group_.findings)
        helpful = self._what_would_help(group_)
        # What explains no failed call does not belong behind "3 calls failed:".
        told = [root for root, line in zip(ordered_roots, causes, strict=True) if line.explains] or ordered_roots
        told = list(reasons(told, explained_by_rule(roots, group_)))
        return Incident(
            incident_id=_incident_id(group_, causes),
            title=_title(told) or _unexplained_title(group_),
            severity=_severity(group_),
            cause=causes[0].cause if causes else None,
            sentence=sentence(told, numbers.failed_calls),
            causes=causes,
            edges=self._edges(group_),
            symptoms=tuple(dict.fromkeys(f.short for f in group_.findings if f.kind == "symptom")),
            findings=tuple(sorted((*group_.findings, *group_.ruled_out), key=_finding_order(ordered_roots))),
            differential=differential(
                group_, [f.finding_id for f in ordered_roots], self.evaluation, self.rules.rules, self._engine(group_)
            ),
            what_would_help=helpful,
            fixes=fixes(ordered_roots, helpful),
            attempts=tuple(
                attempt_row(row, ordered_roots, self.at_slot) for row in sorted(group_.attempts, key=_by_time)
            ),
            impact=numbers,
            curve=curve(group_.attempts, self.laws),
            memory=memory(group_.attempts),
            started_at=span.start,
            ended_at=span.end,
            run_ids=tuple(sorted({str(row["run_id"]) for row in group_.attempts if row["run_id"] is not None})),
            nearest=() if causes else nearest(self.case.connection, self.rules, self.evaluation, group_.attempts),
            model=next((str(row["model"]) for row in group_.attempts if row["model"] is not None), None),
        )

    def _roots(self, group_: Group) -> list[Finding]:
        """Causes that no other cause of the incident explains, or that were needed beside the one that does."""
        kept = staying({rule.id: rule.rule.causes for rule in self.rules.rules})
        return likely_causes(group_.findings, self.evaluation.edges, kept)

    def _weights(self, group_: Group) -> dict[str, float]:
        return weights(self._roots(group_), group_.findings, self.evaluation.edges, group_.attempts)

    def _felt(self, roots: Sequence[Finding]) -> frozenset[str]:
        """Rules of roots that speak of an agent's own calls, not only of what a server did for others."""
        return frozenset(f.rule for f in roots if any(map(self._is_agents_own, f.subjects)))

    def _is_agents_own(self, attempt_id: str) -> bool:
        row = self.attempts.get(attempt_id)
        return row is not None and row["agent"] is not None

    def _edges(self, group_: Group) -> tuple[Edge, ...]:
        own = {f.finding_id for f in group_.findings}
        return tuple(Edge(c, e) for c, e in sorted(self.evaluation.edges) if c in own and e in own)

    def _what_would_help(self, group_: Group) -> tuple[World, ...]:
        if not self.replay:
            return ()
        touched = {s for f in group_.findings if f.kind == "cause" for s in f.subjects}
        replayed = [row for row in group_.attempts if row["attempt_id"] in touched]
        return Replay(self.case.connection, self.rules, replayed).what_would_help()


def _prefill_labels(case: Case) -> dict[str, Label]:
    return dict(case.connection.execute(query("prefill_labels")).fetchall())


def _severity(group_: Group) -> Severity:
    """The highest of its causes and symptoms; unexplained failures are medium, a single hang-up is only a remark."""
    told = [f.severity for f in group_.findings if f.kind in ("cause", "symptom")]
    hung_up = all(str(row["outcome"]).startswith("client_closed") and not row["error_text"] for row in group_.attempts)
    alone = len({row["call_id"] for row in group_.attempts}) == 1
    return max(told, key=severity_rank, default="low" if hung_up and alone else "medium")


def _title(roots: Sequence[Finding]) -> str:
    if not roots:
        return ""
    first, *others = dict.fromkeys(f.title for f in roots[:2])
    return " — and ".join([first, *(title[:1].lower() + title[1:] for title in others)])


def _unexplained_title(group_: Group) -> str:
    titles = dict.fromkeys(f.title for f in group_.findings)
    return " — and ".join(titles) if titles else "Calls failed and no rule explains why"


def _incident_id(group_: Group, causes: Sequence[CauseLine]) -> str:
    """Stable over reruns and later nights: the causes and the first thing that failed."""
    first = min((str(row["attempt_id"]) for row in group_.attempts), default="")
    subjects = min((s for f in group_.findings for s in f.subjects), default="")
    text = "\n".join([*(line.rule for line in causes), first or subjects])
    return blake2b(text.encode(), digest_size=5).hexdigest()


def _finding_order(roots: Sequence[Finding]) -> Callable[[Finding], tuple[object, ...]]:
    kinds = ("cause", "symptom", "ruled-out", "advice")
    first = {finding.finding_id: number for number, finding in enumerate(roots)}

    def key(finding: Finding) -> tuple[object, ...]:
        return (first.get(finding.finding_id, len(first)), kinds.index(finding.kind), finding.rule, finding.finding_id)

    return key


def _cited(incident: Incident) -> list[EvidenceRef]:
    cited = [ref for finding in incident.findings for ref in finding.evidence]
    cited += [ref for f in incident.findings for s in f.steps for o in s.operands for ref in o.evidence]
    cited += [ref for line in incident.differential for ref in line.evidence]
    return cited + [ref for row in incident.attempts for ref in row.evidence]


def _evidence(case: Case, cited: Sequence[EvidenceRef]) -> dict[str, EvidenceLine]:
    lines = cite(case, dict.fromkeys((ref.source, ref.line_no) for ref in cited))
    return {
        f"{source}:{line_no}": EvidenceLine(source, line_no, line.text, line.before, line.after, line.state)
        for (source, line_no), line in lines.items()
    }
