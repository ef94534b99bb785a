"""All formats, and which of them a stream is. Formats are tried by content; the surest one reads the stream."""

from __future__ import annotations

from dataclasses import dataclass

from investigator.formats.agents import AGENT_FORMATS, SNAPSHOT_FORMATS
from investigator.formats.base import Format, Unsupported
from investigator.formats.client_errors import CLIENT_ERRORS
from investigator.formats.llama_server import LLAMA_SERVER
from investigator.formats.ollama_server import OLLAMA_SERVER

FORMATS: tuple[Format, ...] = (OLLAMA_SERVER, LLAMA_SERVER, *AGENT_FORMATS, *SNAPSHOT_FORMATS, CLIENT_ERRORS)

#: Below this a format's claim is taken as "not mine".
FLOOR = 0.15

UNSUPPORTED: tuple[Unsupported, ...] = (
    Unsupported("lm-studio", "LM Studio log", (b"[LM STUDIO SERVER]", b"[LMSInternal]", b"LM Studio Server")),
    Unsupported("vllm", "vLLM server log", (b"vllm.entrypoints", b"[api_server.py:", b"Avg prompt throughput:")),
    Unsupported("sglang", "SGLang server log", (b"sglang.srt", b"Prefill batch. #new-seq")),
    Unsupported("tgi", "Text Generation Inference log", (b"text_generation_router", b"text_generation_launcher")),
    Unsupported("localai", "LocalAI log", (b"LocalAI API is listening", b"LocalAI version:")),
)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a stream is: a format with its confidence, or a kind known by name but not read, or neither."""

    format: Format | None
    unsupported: Unsupported | None
    confidence: float


def recognise(head: bytes, path: str) -> Recognition:
    """Decide by the first bytes (transport removed) which format reads this stream; ties go to the earlier format."""
    best: Format | None = None
    confidence = 0.0
    for candidate in FORMATS:
        claim = candidate.recognise(head, path)
        if claim > confidence:
            best, confidence = candidate, claim
    if best is not None and confidence >= FLOOR:
        return Recognition(best, None, confidence)
    return Recognition(None, unsupported_kind(head), 0.0)


def unsupported_kind(head: bytes) -> Unsupported | None:
    """The known but unread kind whose literal stands in these bytes."""
    return next((kind for kind in UNSUPPORTED if any(literal in head for literal in kind.literals)), None)


def format_by_id(format_id: str) -> Format:
    """The format of this id; KeyError names the known ones."""
    for candidate in FORMATS:
        if candidate.id == format_id:
            return candidate
    raise KeyError(f"no format {format_id!r}; known: {', '.join(known.id for known in FORMATS)}")
