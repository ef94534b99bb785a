"""Memory by part against what the device lets a model use."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import MemoryBar
from investigator.report import charts, scales
from investigator.report.cells import bytes_cell, capped, text_cell
from investigator.report.charts import NARROW, WIDE, Bars, Limit, RowOfBars
from investigator.report.language import _
from investigator.report.text import UNKNOWN, size
from investigator.report.viewtypes import Cell, Chart, Tag


def memory_chart(anchor: str, memory: Sequence[MemoryBar]) -> Chart | None:
    """Memory by part against what the device lets a model use."""
    if not memory:
        return None
    limits = {bar.limit_bytes: bar.limit_basis for bar in memory if bar.limit_bytes is not None}
    lines = tuple(Limit(at, f"{_('limit')} {size(at)}", "limit") for at in sorted(limits))
    names = list(dict.fromkeys(name for bar in memory for name, _amount in bar.parts))
    rows = tuple(
        RowOfBars(
            f"{bar.title} · {size(sum(amount for _name, amount in bar.parts))}",
            tuple((f"part{names.index(name) % 5}", amount, f"{_(name)}: {size(amount)}") for name, amount in bar.parts),
            bar.title,
            bar.limit_bytes is not None and sum(a for _name, a in bar.parts) > bar.limit_bytes,
            bar.limit_bytes,
        )
        for bar in memory[:8]
    )
    top = charts.top_of([*(sum(a for _name, a in bar.parts) for bar in memory), *limits])
    ticks = tuple((t, size(t).replace(".0", "") if t else "0") for t in scales.byte_ticks(0, top, 7))
    chart = Bars(rows, lines, ticks, row_h=24, names_above=True)
    told = "; ".join(_memory_words(bar) for bar in memory[:8])
    desc = f"{told[:1].upper()}{told[1:]}."
    table = capped(("window", *names, "sum", "limit", "basis"), memory, lambda bar: _row(bar, names))
    legend = tuple(Tag(f"part{n % 5}", name) for n, name in enumerate(names))
    legend += (Tag("over", "beyond the limit"),) if any(row.failed for row in rows) else ()
    bases = sorted({f"{_('limit')}: {basis}" for basis in limits.values() if basis})
    return Chart(
        anchor,
        "Memory against the device’s limit",
        desc,
        charts.draw_bars(chart, WIDE),
        charts.draw_bars(chart, NARROW),
        legend,
        table,
        "; ".join(bases),
    )


def _row(bar: MemoryBar, names: Sequence[str]) -> tuple[Cell, ...]:
    parts = dict(bar.parts)
    return (
        text_cell(bar.title),
        *(bytes_cell(parts.get(name)) for name in names),
        bytes_cell(sum(parts.values())),
        bytes_cell(bar.limit_bytes),
        text_cell(bar.limit_basis or _(UNKNOWN)),
    )


def _memory_words(bar: MemoryBar) -> str:
    total = sum(amount for _name, amount in bar.parts)
    if bar.limit_bytes is None:
        return f"{bar.title} – {size(total)}, {_('the limit is not known')}"
    fits = _("too much") if total > bar.limit_bytes else _("fits")
    return f"{bar.title} – {size(total)} {_('of')} {size(bar.limit_bytes)}, {fits}"
