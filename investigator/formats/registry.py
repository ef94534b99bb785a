"""All formats, and which of them a stream is. Formats are tried by content; the surest one reads the stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from investigator.formats.agents import AGENT_FORMATS, SNAPSHOT_FORMATS
from investigator.formats.base import Format, Unsupported
from investigator.formats.client_errors import CLIENT_ERRORS
from investigator.formats.llama_server import LLAMA_SERVER
from investigator.formats.ollama_server import OLLAMA_SERVER
from investigator.formats.textformat import TextFormat
from investigator.formats.transport import bare_head
from investigator.yamltext import load as load_yaml

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


def recognise(head: bytes, path: str, more: Iterable[Format] = ()) -> Recognition:
    """Decide by the first bytes which format reads this stream, seen through its transport; ties go to the earlier one.

    `more`: formats of the user's own mappings; they are asked first, so that they win ties.
    """
    best: Format | None = None
    confidence = 0.0
    # A hole of a sparse file need not be shown to sixty formats; a log with NULs in it does.
    if not head.strip(b"\x00"):
        return Recognition(None, None, 0.0)
    # Only the engine of the text formats sees through transports, so only they may claim what is inside one.
    bare = bare_head(head)
    for candidate in (*more, *FORMATS):
        claim = candidate.recognise(bare if isinstance(candidate, TextFormat) else head, path)
        if claim > confidence:
            best, confidence = candidate, claim
    if best is not None and confidence >= FLOOR:
        return Recognition(best, None, confidence)
    return Recognition(None, unsupported_kind(bare), 0.0)


def unsupported_kind(head: bytes) -> Unsupported | None:
    """The known but unread kind whose literal stands in these bytes."""
    return next((kind for kind in UNSUPPORTED if any(literal in head for literal in kind.literals)), None)


def format_by_id(format_id: str) -> Format:
    """The format of this id; KeyError names the known ones."""
    for candidate in FORMATS:
        if candidate.id == format_id:
            return candidate
    raise KeyError(f"no format {format_id!r}; known: {', '.join(known.id for known in FORMATS)}")


@cache
def tables_filled() -> Mapping[str, list[str]]:
    """Format → the fact tables that it fills, as its samples show (yields.yaml, made by docs/generate_formats.py)."""
    found: dict[str, list[str]] = load_yaml(files(__package__).joinpath("yields.yaml").read_text(encoding="utf-8"))
    return found
