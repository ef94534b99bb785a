"""Tokens per call against the windows."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import AttemptRow
from investigator.report import charts, scales
from investigator.report.cells import capped, num, row_start, text_cell, tokens_cell
from investigator.report.charts import NARROW, WIDE, Bars, Limit, RowOfBars
from investigator.report.language import _
from investigator.report.text import clock, number, plural, quantity
from investigator.report.viewtypes import Cell, Chart, Table, Tag
from investigator.report.words import OUTCOMES

MAX_TOKEN_ROWS = 24


def tokens_chart(anchor: str, attempts: Sequence[AttemptRow], zone: int | None) -> Chart | None:
    """Tokens per call: what was cached, read and thrown away, against the windows."""
    rows = [row for row in attempts if num(row, "asked_tokens") is not None or num(row, "read_tokens") is not None]
    if not rows:
        return None
    shown = _widest(rows)
    limits = _window_limits(rows)
    top = charts.top_of([*(_asked(row) for row in rows), *(limit.at for limit in limits)])
    ticks = tuple((t, f"{t / 1000:,.0f}k" if t else "0") for t in scales.ticks(0, top, 6))
    bars = Bars(tuple(_token_row(row, zone) for row in shown), limits, ticks)
    largest = max(rows, key=_asked)
    words = ", ".join(limit.label for limit in limits) or _("no window is known")
    most = _("the largest asked for {tokens} tokens").format(tokens=number(int(_asked(largest))))
    desc = f"{plural(len(rows), 'call')}; {most}; {words}."
    drawn = _("the {count} largest are drawn").format(count=len(shown))
    caption = f"{plural(len(rows), 'call')}; {drawn}." if len(shown) < len(rows) else ""
    return Chart(
        anchor,
        "Tokens per call against the windows",
        desc,
        charts.draw_bars(bars, WIDE),
        charts.draw_bars(bars, NARROW),
        _token_legend(shown),
        _token_table(rows, zone),
        caption,
        x_label="tokens",
    )


def _asked(row: AttemptRow) -> float:
    return max(num(row, "asked_tokens") or 0.0, num(row, "read_tokens") or 0.0)


def _widest(rows: Sequence[AttemptRow]) -> list[AttemptRow]:
    """The largest calls, in the order given."""
    if len(rows) <= MAX_TOKEN_ROWS:
        return list(rows)
    largest = sorted(range(len(rows)), key=lambda n: (-_asked(rows[n]), n))[:MAX_TOKEN_ROWS]
    return [rows[n] for n in sorted(largest)]


def _window_limits(rows: Sequence[AttemptRow]) -> tuple[Limit, ...]:
    """One line per different value; lines that coincide share a label."""
    names = (
        ("window_tokens", _("window in force")),
        ("native_window_tokens", _("native window")),
        ("believed_window_tokens", _("agent’s belief")),
    )
    found: dict[float, list[str]] = {}
    for column, name in names:
        for value in sorted({v for row in rows if (v := num(row, column)) is not None})[:3]:
            found.setdefault(value, []).append(name)
    return tuple(
        Limit(
            value,
            f"{' = '.join(words)} {number(int(value))}",
            "limit" if names[0][1] in words else "native" if names[1][1] in words else "belief",
        )
        for value, words in sorted(found.items())
    )


def _token_parts(row: AttemptRow) -> tuple[float, float, float]:
    """(cached, newly read, cut) tokens; what is not known counts as nothing here and as 'not known' in the table."""
    asked = _asked(row)
    read = num(row, "read_tokens")
    read = asked if read is None else read
    cached = min(num(row, "cached_tokens") or 0.0, read)
    cut = num(row, "cut_tokens")
    return cached, read - cached, max(asked - read, 0.0) if cut is None else cut


def _token_row(row: AttemptRow, zone: int | None) -> RowOfBars:
    cached, read, cut = _token_parts(row)
    failed = row.columns.get("failed") is True
    parts = (
        ("cached", cached, f"{number(int(cached))} {_('tokens')} {_('from the cache')}"),
        ("read", read, f"{number(int(read))} {_('tokens')} {_('to read')}"),
        ("cut", cut, f"{number(int(cut))} {_('tokens')} {_('thrown away')}"),
    )
    start = row_start(row)
    name = (f"{clock(start, zone).text} · " if start is not None else "") + number(int(_asked(row)))
    outcome = str(row.columns.get("outcome") or "unknown")
    return RowOfBars(name, parts, f"{row.call_id}: {_(OUTCOMES.get(outcome, outcome))}", failed)


def _token_legend(rows: Sequence[AttemptRow]) -> tuple[Tag, ...]:
    parts = [_token_parts(row) for row in rows]
    names = (("cached", "from the cache"), ("read", "to read"), ("cut", "thrown away"))
    return tuple(Tag(kind, text) for n, (kind, text) in enumerate(names) if any(p[n] > 0 for p in parts))


def _token_table(rows: Sequence[AttemptRow], zone: int | None) -> Table:
    heads = ("arrived", "try", "asked", "read", "cached", "cut", "window", "native", "agent’s belief", "outcome")
    columns = (
        "asked_tokens",
        "read_tokens",
        "cached_tokens",
        "cut_tokens",
        "window_tokens",
        "native_window_tokens",
        "believed_window_tokens",
    )

    def cells(row: AttemptRow) -> tuple[Cell, ...]:
        outcome = str(row.columns.get("outcome") or "unknown")
        return (
            Cell(clock(row_start(row), zone, with_date=True)),
            text_cell(quantity(row.columns.get("try_no"), None).text, numeric=True),
            *(tokens_cell(num(row, column)) for column in columns),
            text_cell(_(OUTCOMES.get(outcome, outcome))),
        )

    return capped(heads, rows, cells)
