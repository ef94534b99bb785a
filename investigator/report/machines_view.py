"""The incident's load on machines one might buy, as the page shows it."""

from __future__ import annotations

from investigator.capacity import Interval
from investigator.capacity import Verdict as Chance
from investigator.capacity.units import GIB
from investigator.diagnosis.model import MachineRow, MachineTable
from investigator.report.language import _, figures
from investigator.report.text import UNKNOWN, Shown, duration, number, plural
from investigator.report.viewtypes import MachineCell, MachinesView, MachineView, Tag
from investigator.report.words import BASES, CHANCES, FITS

#: The machine of the logs and the best of the others; what is beyond is folded away.
_SHOWN = 6
_KINDS: dict[Chance, str] = {"passes": "yes", "might": "might", "fails": "no"}


def machines_view(anchor: str, table: MachineTable | None) -> MachinesView | None:
    """None where the load was not put on other machines."""
    if table is None or not table.rows:
        return None
    # Where every machine fails alike the sentence has said so, and a column of it would only cost width.
    as_it_was = table.window_tokens is None or len({row.alone for row in table.rows}) > 1
    rows = tuple(_row(row, as_it_was=as_it_was) for row in table.rows)
    helps = any(row.alone != "fails" or row.with_window in ("passes", "might") for row in table.rows)
    # Where none helps the sentence is the answer, and the rows are there for who doubts it.
    shown = 0 if not helps else len(rows) if len(rows) <= _SHOWN + 1 else _SHOWN
    return MachinesView(
        anchor=anchor,
        sentence=table.sentence,
        remarks=table.remarks,
        heads=_heads(table, as_it_was),
        rows=rows[:shown],
        others=rows[shown:],
        others_label=plural(len(rows) - shown, "more machine") if shown else plural(len(rows), "machine"),
        note=_("List prices in US dollars at their dates; ? was not verified. Prompts are read from an empty cache"),
    )


def _heads(table: MachineTable, as_it_was: bool) -> tuple[str, ...]:
    read = _("reads the prompt in")
    if table.timeout_s is not None:
        read += f" ({_('limit')} {duration(table.timeout_s)})"
    chances = [_("settings as they were")] if as_it_was else []
    if table.window_tokens is not None:
        chances.append(_("with window {tokens}").format(tokens=number(table.window_tokens)))
    return _("machine"), _("list price"), _("memory: needs / has"), read, *chances, _("confidence")


def _row(row: MachineRow, *, as_it_was: bool) -> MachineView:
    size = figures(f"{row.memory_gib:g}") + " GiB"
    about = f"{row.cards} × {size}" if row.cards > 1 else size
    chances = [row.alone] if as_it_was else []
    chances += [row.with_window] if row.with_window is not None else []
    tags = (Tag(_KINDS[chance], _(CHANCES[chance])) for chance in chances)
    return MachineView(
        name=row.name,
        about=f"{about} · {_('the machine of the logs')}" if row.is_present else about,
        cells=(
            _price(row),
            _memory(row),
            _reading(row.reading_s),
            *(MachineCell(tag=tag) for tag in tags),
            _known(row),
        ),
        present=row.is_present,
    )


def _price(row: MachineRow) -> MachineCell:
    """With its date, and what has become of the offer since."""
    price = row.price
    if price is None:
        word = "—" if row.is_present else _("not listed")
        return MachineCell(Shown(word, word), numeric=True)
    amount = f"${number(round(price.amount))}" + ("" if price.verified else "?")
    status = (price.status or "").removeprefix("current").removeprefix("; ")
    return MachineCell(Shown(amount, amount), sub=", ".join(filter(None, (price.date, status))), numeric=True)


def _memory(row: MachineRow) -> MachineCell:
    if row.need_bytes is None or row.limit_bytes is None:
        return MachineCell(Shown(_(UNKNOWN), _(UNKNOWN)), numeric=True)
    text = f"{_gib(row.need_bytes.mid)} / {_gib(row.limit_bytes.mid)} GiB"
    exact = " / ".join(f"{_gib(each.low)} – {_gib(each.high)}" for each in (row.need_bytes, row.limit_bytes)) + " GiB"
    note = "" if row.memory in (None, "fits") else _(FITS[row.memory])
    return MachineCell(Shown(text, exact), sub=note, numeric=True)


def _reading(read: Interval | None) -> MachineCell:
    """In one unit for estimate and bounds, so that they can be compared at a glance."""
    if read is None:
        return MachineCell(Shown(_(UNKNOWN), _(UNKNOWN)), numeric=True)
    size, unit = (60, "min") if read.high >= 60 else (1, "s")
    low, mid, high = (_figure(each / size) for each in (read.low, read.mid, read.high))
    exact = f"{number(round(read.mid, 1))} s"
    return MachineCell(
        Shown(f"≈ {mid} {unit}", exact), sub="" if low == high else f"{low} – {high} {unit}", numeric=True
    )


def _known(row: MachineRow) -> MachineCell:
    basis = "sizes" if row.memory == "does_not_fit" else row.basis or "none"
    word = _(row.confidence)
    return MachineCell(Shown(word, word), sub=_(BASES[basis]), title=row.note)


def _figure(value: float) -> str:
    """Two digits: nobody knows a machine that one does not own any better."""
    return figures(f"{value:,.0f}" if value >= 10 else f"{value:.1f}")


def _gib(bytes_: float) -> str:
    return figures(f"{bytes_ / GIB:,.1f}")
