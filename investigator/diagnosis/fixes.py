"""Paste-ready text for the best set of changes: only what a replayed world proves, plus advice that has no number."""

from __future__ import annotations

from collections.abc import Sequence

from investigator.diagnosis.model import Change, Fix, World
from investigator.rulebook.findings import Finding, Remedy

_LANGUAGES = {".json": "json", ".yaml": "yaml", ".toml": "toml", ".service": "ini", "modelfile": "dockerfile"}


def fixes(roots: Sequence[Finding], worlds: Sequence[World]) -> tuple[Fix, ...]:
    """Remedies of the likely causes that carry out the cheapest minimal world, in the world's order.

    Without such a world the remedies stand as their rules proved them. A remedy whose number is in no saving world
    is left out: we give no advice that our own arithmetic refutes.
    """
    remedies = [remedy for finding in roots for remedy in finding.remedies]
    best = next((world for world in worlds if world.minimal), None)
    if best is None:
        return tuple(dict.fromkeys(_fix(remedy, _own_proof(remedy)) for remedy in remedies))
    proof = (
        f"{' and '.join(change.say for change in best.changes)}: saves {best.saved_calls} of {best.total_calls} "
        f"call{'s' if best.total_calls != 1 else ''}"
    )
    carried = [_fix(remedy, proof) for change in best.changes for remedy in _carrying(change, remedies)]
    advice = [_fix(remedy, "") for remedy in remedies if remedy.value is None and remedy.proves is None]
    return tuple(dict.fromkeys([*carried, *advice]))


def _carrying(change: Change, remedies: Sequence[Remedy]) -> list[Remedy]:
    """The remedies that set what the change sets, recognised by the value."""
    return [remedy for remedy in remedies if remedy.value is not None and _same(remedy.value, change.after)]


def _same(left: object, right: object) -> bool:
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return float(left) == float(right)
    return left == right


def _fix(remedy: Remedy, proves: str) -> Fix:
    return Fix(remedy.do, remedy.where, _language(remedy.where), remedy.paste or "", proves)


def _own_proof(remedy: Remedy) -> str:
    return "proved by the rule's own arithmetic" if remedy.proves else ""


def _language(where: str) -> str:
    return next((language for ending, language in _LANGUAGES.items() if where.lower().endswith(ending)), "text")
