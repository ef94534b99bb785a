"""OpenClaw's session store (sessions.json, up to 2026.7): what each session uses and believes. agent-logs.md §1.3."""

from __future__ import annotations

from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.json5 import Path, scan_json5
from investigator.formats.rows import At, Rows
from investigator.formats.settings import may_be_document, scanned_head
from investigator.formats.stamps import epoch_stamp

_TELLING = frozenset({"sessionId", "updatedAt", "contextTokens", "modelProvider", "systemSent", "abortedLastRun"})


class StoreReader:
    def read(self, document: Text, rows: Rows) -> At | None:
        scanned = scan_json5(document.text)
        values = scanned.by_path()
        places: dict[Path, At] = {}
        for scalar in scanned.scalars:
            if len(scalar.path) == 2:
                places.setdefault(scalar.path, document.at(scalar.position))
        for path, at in places.items():
            if path[1] == "sessionId":
                _session(path[0], values, at, rows)
            elif path[1] == "contextTokens":
                _window(path[0], values, at, rows)
        return document.at(scanned.error_position) if scanned.error else None


def _session(key: str | int, values: dict[Path, object], at: At, rows: Rows) -> None:
    updated = values.get((key, "updatedAt"))
    stamp = epoch_stamp(updated if isinstance(updated, int | float) and not isinstance(updated, bool) else None)
    parent = values.get((key, "spawnedBy"))
    rows.add(
        "agent_session",
        at,
        stamp,
        agent="openclaw",
        session_id=values[key, "sessionId"],
        parent_session_id=parent if isinstance(parent, str) else None,
    )


def _window(key: str | int, values: dict[Path, object], at: At, rows: Rows) -> None:
    tokens = values[key, "contextTokens"]
    rows.add(
        "agent_config",
        at,
        agent="openclaw",
        provider=values.get((key, "modelProvider")),
        model=values.get((key, "model")),
        setting="context_window_tokens",
        key=f"{key}.contextTokens",
        value=tokens,
        value_num=tokens,
    )


@dataclass(frozen=True, slots=True)
class OpenClawStoreFormat:
    id: str = "openclaw-store"
    title: str = "OpenClaw, session store (sessions.json)"
    side: Side = "agent"
    versions: str = "OpenClaw 2026.1-2026.7"

    def recognise(self, head: bytes, path: str) -> float:
        if not may_be_document(head):
            return 0.0
        scanned = scanned_head(head)
        if scanned.error == "text after the document":
            return 0.0
        keys = {str(scalar.path[1]) for scalar in scanned.scalars if len(scalar.path) == 2}
        roots = [str(scalar.path[0]) for scalar in scanned.scalars if len(scalar.path) > 1]
        named = any(root.startswith(("agent:", "cron:", "hook:")) for root in roots)
        if "sessionId" not in keys or not keys & (_TELLING - {"sessionId"}):
            return 0.0
        return 0.95 if named else 0.5

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, StoreReader())
