"""The records of Claude Code's session files: typed, tolerant of what is not there."""

from __future__ import annotations

from typing import Any

import msgspec


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
    text: str | None = None
    content: Any = None


class Message(msgspec.Struct):
    id: str | None = None
    role: str | None = None
    model: str | None = None
    content: str | list[Block] | None = None
    usage: Usage | None = None
    stop_reason: str | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(block.text or _tool_text(block.content) for block in self.content)
        return self.content or ""

    def role_in_prompt(self) -> str:
        results = isinstance(self.content, list) and any(block.type == "tool_result" for block in self.content)
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


_RECORD = msgspec.json.Decoder(Record)
_MESSAGE = msgspec.json.Decoder(Message | None)
_ERROR = msgspec.json.Decoder(Error | str | None)


def decode_record(raw: bytes) -> Record:
    """One line. Raises msgspec.MsgspecError when it is none."""
    return _RECORD.decode(raw)


def decode_message(record: Record) -> Message:
    """The record's message, empty if it has none. Raises msgspec.MsgspecError."""
    return _MESSAGE.decode(bytes(record.message)) or Message()


def decode_error(record: Record) -> Error:
    """The record's error; some releases write only its text. Raises msgspec.MsgspecError."""
    error = _ERROR.decode(bytes(record.error))
    return Error(message=error) if isinstance(error, str) else error or Error()


def _tool_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(text for text in texts if isinstance(text, str))
