"""The timeline of an incident: which spans belong to it, its words and its table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from investigator.diagnosis.model import Diagnosis, Incident, TimelineMark, TimelineSpan
from investigator.report.cells import capped, num, row_start, text_cell
from investigator.report.charts import NARROW, WIDE
from investigator.report.evidence_view import failed_tries
from investigator.report.language import _, figures
from investigator.report.text import clock, local, plural, seconds, zone_words
from investigator.report.timeline import KINDS, Timeline, draw_timeline, lanes_of, span_class, span_words, timed
from investigator.report.viewtypes import Cell, Chart, Table, Tag
from investigator.report.words import SPAN_KINDS

_MAX_LIMITS = 12
_TITLES: dict[tuple[str, ...], str] = {("server",): "What the server did", ("agent",): "What the agent did"}


def timeline_chart(anchor: str, d: Diagnosis, incident: Incident | None) -> Chart | None:
    """Both sides on one clock, around the incident; None for the whole case."""
    picked = list(d.spans) if incident is None else _spans_of(d, incident)
    if not picked:
        return None
    first, last = min(s.start for s in picked), max(s.end for s in picked)
    air = max((last - first) * 0.02, timedelta(seconds=1))
    start, end = first - air, last + air
    limits = () if incident is None else _limits(d, incident)
    marks = tuple(m for m in (*d.marks, *limits) if start <= m.at <= end)
    chart = Timeline(timed(picked), marks, start, end, d.zone_offset_s)
    wide, narrow = draw_timeline(chart, WIDE), draw_timeline(chart, NARROW)
    first, last = local(first, d.zone_offset_s), local(last, d.zone_offset_s)
    day = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} {_('to')} {last:%Y-%m-%d}"
    lanes = {lane for lane, _title in lanes_of(picked)}
    tries = {row.attempt_id for row in d.attempts if row.columns.get("failed") is True}
    calls = sum(s.kind == "call" and "bad" in span_class(s) for s in picked)
    requests = len(tries & {s.attempt_id for s in picked})
    words = [plural(len(picked), "bar")]
    words += [plural(calls, "failed call")] if calls else [plural(requests, "failed request")] if requests else []
    words += [_("agent calls above, what the server did below")] if len(lanes) > 1 else []
    return Chart(
        anchor,
        _TITLES.get(tuple(sorted(lanes)), "What both sides did"),
        f"{day}, {_('times in')} {zone_words(d.zone_offset_s)}: {'; '.join(words)}.",
        wide.drawing,
        narrow.drawing,
        _span_legend(picked),
        _span_table(picked, d.zone_offset_s),
        " ".join(wide.notes),
        x_label="",
    )


def _limits(d: Diagnosis, incident: Incident) -> tuple[TimelineMark, ...]:
    """Where the limit of each of a few failed calls falls, unless the diagnosis marks limits itself."""
    rows = failed_tries(incident)
    if len(rows) > _MAX_LIMITS or any(mark.kind == "limit" for mark in d.marks):
        return ()
    known = [(row_start(row), num(row, "timeout_s")) for row in rows]
    return tuple(
        TimelineMark(start + timedelta(seconds=limit), "limit", f"{_('limit')} {figures(f'{limit:,.0f}')} s")
        for start, limit in known
        if start is not None and limit is not None
    )


def _spans_of(d: Diagnosis, incident: Incident) -> list[TimelineSpan]:
    own = {row.attempt_id for row in incident.attempts}
    mine = [span for span in d.spans if span.attempt_id in own]
    starts = [s.start for s in mine] + ([incident.started_at] if incident.started_at else [])
    ends = [s.end for s in mine] + ([incident.ended_at] if incident.ended_at else [])
    if not starts or not ends:
        return []
    lo, hi = min(starts), max(ends)
    air = (hi - lo) * 0.1
    return [span for span in d.spans if span.end >= lo - air and span.start <= hi + air]


def _span_legend(spans: Sequence[TimelineSpan]) -> tuple[Tag, ...]:
    classes = {span_class(span) for span in spans}
    tags = [Tag(kind, SPAN_KINDS[kind]) for kind in KINDS if kind in classes]
    tags += [
        Tag(f"{kind} bad", f"{SPAN_KINDS[kind]}, failed") for kind in ("call", "request") if f"{kind} bad" in classes
    ]
    return tuple(tags)


def _span_table(spans: Sequence[TimelineSpan], zone_offset_s: int | None) -> Table:
    ordered = sorted(spans, key=lambda s: (s.start, s.lane, s.end, s.kind, s.label))
    return capped(
        ("side", "what", "from", "to", "took", "of", "outcome"), ordered, lambda span: _span_row(span, zone_offset_s)
    )


def _span_row(span: TimelineSpan, zone_offset_s: int | None) -> tuple[Cell, ...]:
    kind, label, outcome = span_words(span)
    return (
        text_cell(_(span.lane)),
        text_cell(kind),
        Cell(clock(span.start, zone_offset_s)),
        Cell(clock(span.end, zone_offset_s)),
        Cell(seconds((span.end - span.start).total_seconds()), numeric=True),
        text_cell(label),
        text_cell(outcome),
    )
