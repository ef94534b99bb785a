"""OpenCode's database (`opencode.db`): one row per message; an assistant's message is a call. agent-logs.md §5.

Kilo Code's CLI keeps the same tables in `kilo.db`, among some of its own; verified: 7.7.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import Noise, Outcome
from investigator.formats.opencode_log import KILO
from investigator.formats.rows import At, Rows
from investigator.formats.sqlite_rows import MAGIC, SqliteParser, names_in, read_query
from investigator.formats.stamps import epoch_stamp

#: Prompts' characters come from their text parts; a message without any still is one.
_QUERY = read_query("opencode_sqlite")
_FINISH = {"tool-calls": "tool_calls"}


class _Cache(msgspec.Struct):
    read: int | None = None
    write: int | None = None


class _Tokens(msgspec.Struct):
    input: int | None = None
    output: int | None = None
    cache: _Cache = msgspec.field(default_factory=_Cache)

    def prompt_tokens(self) -> int | None:
        return sum(part or 0 for part in (self.input, self.cache.read, self.cache.write)) or None


class _Time(msgspec.Struct):
    created: int | None = None
    completed: int | None = None


class _Error(msgspec.Struct):
    name: str | None = None
    data: Any = None


class _Data(msgspec.Struct):
    role: str
    providerID: str | None = None
    modelID: str | None = None
    tokens: _Tokens = msgspec.field(default_factory=_Tokens)
    time: _Time = msgspec.field(default_factory=_Time)
    finish: str | None = None
    error: _Error | None = None


class _Row(msgspec.Struct):
    id: str
    session: str
    data: _Data
    chars: int | None = None
    first: int | None = None


_ROW = msgspec.json.Decoder(_Row)


@dataclass(frozen=True, slots=True)
class OpenCodeReader:
    """A message that was never completed is a call that is open, or that the agent tried again."""

    agent: str = "opencode"

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        row = _ROW.decode(raw)
        if row.data.role == "user":
            rows.add(
                "agent_prompt",
                at,
                epoch_stamp(row.data.time.created),
                agent=self.agent,
                session_id=row.session,
                record_id=row.id,
                role="user",
                text_chars=row.chars,
            )
            return None
        if row.data.role != "assistant":
            return Noise(f"message of {row.data.role[:30]}")
        _call(self.agent, row, at, rows)
        return None


def _call(agent: str, row: _Row, at: At, rows: Rows) -> None:
    data, tokens = row.data, row.data.tokens
    start, end = epoch_stamp(data.time.created), epoch_stamp(data.time.completed)
    prompt = tokens.prompt_tokens()
    rows.add(
        "agent_call",
        at,
        end if end.at else start,
        agent=agent,
        session_id=row.session,
        record_id=row.id,
        provider=data.providerID,
        model=data.modelID,
        started_at=start.at,
        ended_at=end.at,
        start_basis="measured" if start.at else None,
        first_token_s=_first_token_s(row),
        input_tokens=prompt,
        output_tokens=tokens.output if prompt or tokens.output else None,
        cache_read_tokens=tokens.cache.read if prompt else None,
        finish_reason="error" if data.error else _FINISH.get(data.finish or "", data.finish),
        **(_error(data.error) if data.error else {}),
    )


def _first_token_s(row: _Row) -> float | None:
    """From the message to the first part of its answer; a call that was tried again has that of the first try."""
    created = row.data.time.created
    return (row.first - created) / 1000 if row.first is not None and created is not None else None


def _error(error: _Error) -> dict[str, object]:
    data = error.data if isinstance(error.data, dict) else {}
    message = data.get("message")
    text = message if isinstance(message, str) else error.name
    status = data.get("statusCode")
    cells = error_cells(classify_best(text, error.name), text)
    return {**cells, "http_status": cells["http_status"] or (status if isinstance(status, int) else None)}


@dataclass(frozen=True, slots=True)
class OpenCodeSqliteFormat:
    id: str = "opencode-sqlite"
    title: str = "OpenCode, database (opencode.db)"
    side: Side = "agent"
    versions: str = "OpenCode 1.2-1.18"
    agent: str = "opencode"
    file: str = "opencode.db"

    def recognise(self, head: bytes, path: str) -> float:
        named = path.endswith((self.file, f"{self.file}.gz"))
        kilo = b"kilo_board" in head or path.endswith(("kilo.db", "kilo.db.gz"))
        if not head.startswith(MAGIC) or kilo != (self.agent == KILO):
            return 0.0
        schema = names_in(head, b"message", b"part", b"session")
        return 0.95 if schema and b"time_compacting" in head else 0.9 if named else 0.0

    def parser(self, info: SourceInfo) -> SqliteParser:
        return SqliteParser(info, OpenCodeReader(self.agent), _QUERY, ("message", "part"))


KILO_SQLITE = OpenCodeSqliteFormat(
    "kilo-sqlite", "Kilo Code CLI, database (kilo.db)", versions="Kilo Code CLI 7.7", agent=KILO, file="kilo.db"
)
