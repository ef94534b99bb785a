"""The records of Claude Code's session files: typed, tolerant of what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from investigator.formats.prompts import Written


class Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def prompt_tokens(self) -> int | None:
        parts = (self.input_tokens, self.cache_creation_input_tokens, self.cache_read_input_tokens)
        return sum(part or 0 for part in parts) or None


class Block(msgspec.Struct):
    type: str | None = None
    text: msgspec.Raw = msgspec.Raw(b"")
    content: msgspec.Raw = msgspec.Raw(b"")


class Message(msgspec.Struct):
    id: str | None = None
    role: str | None = None
    model: str | None = None
    content: msgspec.Raw = msgspec.Raw(b"")
    usage: Usage | None = None
    stop_reason: str | None = None

    def texts(self) -> Iterator[Written]:
        """The message's texts as they are written in JSON, those of tools' results too. Raises msgspec.MsgspecError."""
        content = bytes(self.content)
        if content[:1] != b"[":
            yield content
            return
        for block in _BLOCKS.decode(content):
            yield block.text
            inner = bytes(block.content)
            if inner[:1] == b"[":
                yield from (part.text for part in _BLOCKS.decode(inner))
            else:
                yield inner

    def text(self) -> str:
        """All texts of the message, joined."""
        return "".join(_TEXT.decode(text) for text in map(bytes, self.texts()) if text[:1] == b'"')

    def role_in_prompt(self) -> str:
        """'tool' for a message that brings a tool's result, else the role as written. Raises msgspec.MsgspecError."""
        content = bytes(self.content)
        results = content[:1] == b"[" and any(block.type == "tool_result" for block in _BLOCKS.decode(content))
        return "tool" if results else self.role or "user"


class Connection(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class Error(msgspec.Struct):
    message: str | None = None
    formatted: str | None = None
    status: int | None = None
    connection: Connection | None = None


class Compact(msgspec.Struct):
    trigger: str | None = None
    preTokens: int | None = None
    postTokens: int | None = None


class Params(msgspec.Struct):
    model: str | None = None
    max_tokens: int | None = None


class Record(msgspec.Struct):
    type: str
    subtype: str | None = None
    uuid: str | None = None
    id: str | None = None
    timestamp: str | None = None
    sessionId: str | None = None
    version: Any = None
    message: msgspec.Raw = msgspec.Raw(b"null")
    error: msgspec.Raw = msgspec.Raw(b"null")
    isApiErrorMessage: bool | None = None
    requestedModel: str | None = None
    compactMetadata: Compact | None = None
    retryAttempt: int | None = None
    params: Params | None = None


_BLOCKS = msgspec.json.Decoder(list[Block])
_TEXT = msgspec.json.Decoder(str)
_RECORD = msgspec.json.Decoder(Record)
_MESSAGE = msgspec.json.Decoder(Message | None)
_ERROR = msgspec.json.Decoder(Error | str | None)


def decode_record(raw: bytes) -> Record:
    """One line. Raises msgspec.MsgspecError when it is none."""
    return _RECORD.decode(raw)


def decode_message(record: Record) -> Message:
    """The record's message, empty if it has none. Raises msgspec.MsgspecError."""
    return _MESSAGE.decode(record.message) or Message()


def decode_error(record: Record) -> Error:
    """The record's error; some releases write only its text. Raises msgspec.MsgspecError."""
    error = _ERROR.decode(bytes(record.error))
    return Error(message=error) if isinstance(error, str) else error or Error()
