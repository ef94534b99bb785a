"""The records of a pi session file, which OpenClaw's transcripts share: typed, tolerant of what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from investigator.formats.prompts import Written


class Usage(msgspec.Struct):
    input: float | int | None = None
    output: float | int | None = None
    cacheRead: float | int | None = None
    cacheWrite: float | int | None = None

    def prompt_tokens(self) -> int | None:
        """The whole prompt as reported back; None when nothing was reported (errors carry zeros)."""
        parts = [value for value in (self.input, self.cacheRead, self.cacheWrite) if value is not None]
        return int(sum(parts)) if parts and sum(parts) > 0 else None


class Block(msgspec.Struct):
    text: msgspec.Raw = msgspec.Raw(b"")


class Origin(msgspec.Struct):
    runId: str | None = None


class Message(msgspec.Struct, rename={"openclaw": "__openclaw"}):
    role: str
    content: msgspec.Raw = msgspec.Raw(b"")
    api: str | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage | None = None
    stopReason: str | None = None
    errorMessage: str | None = None
    timestamp: float | int | str | None = None
    openclaw: Origin | None = None

    def texts(self) -> Iterator[Written]:
        """The message's texts as they are written in JSON. Raises msgspec.MsgspecError."""
        content = bytes(self.content)
        if content[:1] != b"[":
            yield content
            return
        for block in _BLOCKS.decode(content):
            yield block.text


class PromptError(msgspec.Struct):
    runId: str | None = None
    sessionId: str | None = None
    provider: str | None = None
    model: str | None = None
    api: str | None = None
    error: str | None = None


class Entry(msgspec.Struct):
    """One line. Every entry has a type; ids are absent on the header's parent and in very old files."""

    type: str
    id: str | None = None
    timestamp: str | None = None
    version: Any = None
    parentSession: str | None = None
    message: Message | None = None
    customType: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"")
    content: msgspec.Raw = msgspec.Raw(b"")
    tokensBefore: int | None = None
    tokensAfter: int | None = None
    fromHook: Any = None


_BLOCKS = msgspec.json.Decoder(list[Block])
_ENTRY = msgspec.json.Decoder(Entry)
_PROMPT_ERROR = msgspec.json.Decoder(PromptError)


def decode_entry(raw: bytes) -> Entry:
    """One line as an entry. Raises msgspec.MsgspecError when it is none."""
    return _ENTRY.decode(raw)


def decode_prompt_error(raw: bytes) -> PromptError:
    """The data of a `openclaw:prompt-error` entry. Raises msgspec.MsgspecError when it is none."""
    return _PROMPT_ERROR.decode(raw)
