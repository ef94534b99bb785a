"""What would have helped, and what to paste, as the page shows it."""

from __future__ import annotations

from investigator.diagnosis.model import Fix, Incident, World
from investigator.report.language import _
from investigator.report.text import number, plural
from investigator.report.viewtypes import FixView, WorldView
from investigator.report.words import SAVES, tag

MAX_WORLDS = 24
_MAX_PIPS = 12


def world_rank(world: World) -> tuple[int, bool, float, int, str]:
    order = {"yes": 0, "might": 1, "no": 2}
    return order[world.saves], not world.minimal, world.cost, len(world.changes), " ".join(c.say for c in world.changes)


def world_view(world: World) -> WorldView:
    total = world.total_calls
    saves = _("{part} of {all}").format(part=number(world.saved_calls), all=number(total))
    saves += f", {number(world.might_calls)} {_('perhaps')}" if world.might_calls else ""
    lost = max(total - world.saved_calls - world.might_calls, 0)
    pips = ["yes"] * world.saved_calls + ["might"] * world.might_calls + ["no"] * lost if total <= _MAX_PIPS else []
    return WorldView(
        tuple(change.say for change in world.changes),
        tag(world.saves, SAVES),
        saves,
        tuple(pips),
        world.why,
        world.minimal,
    )


def left_out(helps: int, useless: int) -> str:
    more = max(helps - MAX_WORLDS, 0) + max(useless - MAX_WORLDS, 0)
    return f"{plural(more, 'more set of changes', 'more sets of changes')} {_('left out')}" if more else ""


def fix_view(fix: Fix, incident: Incident) -> FixView:
    proof = fix.proves
    if proof.isdigit() and int(proof) < len(incident.what_would_help):
        world = incident.what_would_help[int(proof)]
        proof = _("Proved together: {changes} saves {part} of {calls}.").format(
            changes=f" {_('and')} ".join(change.say for change in world.changes),
            part=number(world.saved_calls),
            calls=plural(world.total_calls, "failed call"),
        )
    return FixView(fix.title, _(fix.where), fix.language, fix.text.rstrip("\n"), proof)
