"""The fact that every agent's message yields: who said how much, and a hash of it; never the text."""

from __future__ import annotations

from investigator.formats.pi_records import text_hash
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp


def add_prompt(rows: Rows, at: At, stamp: Stamp, text: str, *, agent: str, role: str | None, **cells: object) -> None:
    """One `agent_prompt`; further columns by name."""
    rows.add(
        "agent_prompt", at, stamp, agent=agent, role=role, text_chars=len(text), text_hash=text_hash(text), **cells
    )
