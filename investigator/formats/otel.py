"""OpenTelemetry GenAI spans as OTLP JSON lines (collector file exporter). agent-logs.md §21; conventions 1.28-1.41.

One line holds several spans; each span that calls a model is a call. A span covers all retries inside its SDK. Also
OpenInference's names (`llm.…`, 0.1.66 for OpenAI and 0.1.80 for LangChain were run) and OpenLLMetry's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from investigator.formats.agent_errors import classify_best, error_cells
from investigator.formats.base import Side, SourceInfo
from investigator.formats.jsonl import JsonlParser, Noise, Outcome, Unknown
from investigator.formats.rows import At, Rows
from investigator.formats.stamps import Stamp, epoch_stamp

_CALLS = frozenset({"chat", "text_completion", "generate_content", "responses"})
#: What OpenInference calls a span that calls a model; those around it are chains and agents.
_OPENINFERENCE_CALL = "LLM"
#: Events of an answer's parts: OpenInference's first, and OpenLLMetry's each.
_TOKENS = ("First Token Stream Event", "gen_ai.content.completion.chunk")
#: Where an SDK reads the parts of an answer, in the trace of an exception.
_STREAMING = ("/_streaming.py", "_iter_events")
_ERROR_STATUS = (2, "2", "STATUS_CODE_ERROR")

_INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
_OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")


class _Attribute(msgspec.Struct):
    key: str
    value: Any = None


class _Event(msgspec.Struct):
    name: str | None = None
    timeUnixNano: str | int | None = None
    attributes: list[_Attribute] = msgspec.field(default_factory=list)


class _Status(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None


class _Span(msgspec.Struct):
    name: str | None = None
    traceId: str | None = None
    spanId: str | None = None
    parentSpanId: str | None = None
    startTimeUnixNano: str | int | None = None
    endTimeUnixNano: str | int | None = None
    attributes: list[_Attribute] = msgspec.field(default_factory=list)
    events: list[_Event] = msgspec.field(default_factory=list)
    status: _Status | None = None


class _Scope(msgspec.Struct):
    spans: list[_Span] = msgspec.field(default_factory=list)


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] = msgspec.field(default_factory=list)


class _ResourceSpans(msgspec.Struct):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scopeSpans: list[_Scope] = msgspec.field(default_factory=list)


class _Export(msgspec.Struct):
    resourceSpans: list[_ResourceSpans] | None = None
    resourceMetrics: msgspec.Raw = msgspec.Raw(b"")
    resourceLogs: msgspec.Raw = msgspec.Raw(b"")


_EXPORT = msgspec.json.Decoder(_Export)


def _values(attributes: list[_Attribute]) -> dict[str, object]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(raw: Any) -> object:
    """An OTLP value; 64-bit integers are printed as strings."""
    if not isinstance(raw, dict):
        return None
    if "intValue" in raw:
        return _integer(raw["intValue"])
    if isinstance(items := raw.get("arrayValue"), dict):
        values = items.get("values")
        return [_value(item) for item in values] if isinstance(values, list) else []
    return next((raw[key] for key in ("stringValue", "doubleValue", "boolValue") if key in raw), None)


def _integer(value: object) -> int | None:
    text = str(value)
    return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 20 else None


class OtelReader:
    """Each export line stands for itself."""

    line_local = True

    def read(self, raw: bytes, at: At, rows: Rows) -> Outcome:
        export = _EXPORT.decode(raw)
        if export.resourceSpans is None:
            if bytes(export.resourceMetrics):
                return Noise("metrics")
            return Noise("logs") if bytes(export.resourceLogs) else Unknown("no OTLP export")
        found = False
        for group in export.resourceSpans:
            service = _values(group.resource.attributes)
            spans = [(span, _values(span.attributes)) for scope in group.scopeSpans for span in scope.spans]
            calls = [(span, values) for span, values in spans if _operation(values)]
            # A framework's span around the SDK's own span of the same call tells it a second time.
            around = {span.parentSpanId for span, _ in calls if span.parentSpanId}
            for span, values in calls:
                if span.spanId not in around:
                    _call(span, values, service, at, rows)
                found = True
        return None if found else Noise("spans that call no model")


def _first(values: dict[str, object], *keys: str) -> object:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _operation(values: dict[str, object]) -> str | None:
    """How a span that calls a model calls it, else None."""
    operation = str(_first(values, "gen_ai.operation.name", "llm.request.type") or "")
    if operation in _CALLS:
        return operation
    return "chat" if values.get("openinference.span.kind") == _OPENINFERENCE_CALL else None


def _call(span: _Span, values: dict[str, object], service: dict[str, object], at: At, rows: Rows) -> None:
    start, end = _time(span.startTimeUnixNano), _time(span.endTimeUnixNano)
    reasons = _first(values, "gen_ai.response.finish_reasons", "llm.finish_reason")
    failed = (span.status is not None and span.status.code in _ERROR_STATUS) or values.get("error.type") is not None
    first_chunk = _first(values, "gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
    begun = next((_time(event.timeUnixNano).at for event in span.events if event.name in _TOKENS), None)
    # OpenLLMetry ends the span of an answer that broke off as if nothing had been; only its end is not told.
    broken = begun is not None and reasons is None and _first(values, *_OUTPUT_TOKENS) is None
    if first_chunk is None and begun is not None and start.at is not None:
        first_chunk = (begun - start.at).total_seconds()
    rows.add(
        "agent_call",
        at,
        end if end.at else start,
        agent=_first(service, "service.name"),
        session_id=_first(values, "gen_ai.conversation.id", "session.id") or span.traceId,
        record_id=span.spanId,
        provider=_first(values, "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
        model=_first(values, "gen_ai.request.model", "gen_ai.response.model", "llm.model_name"),
        api=_operation(values),
        base_url=_address(values),
        started_at=start.at,
        ended_at=end.at,
        start_basis="measured" if start.at else None,
        first_token_s=first_chunk,
        input_tokens=_first(values, *_INPUT_TOKENS) or None,
        output_tokens=_first(values, *_OUTPUT_TOKENS),
        cache_read_tokens=_first(
            values, "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"
        ),
        max_output_tokens=_first(values, "gen_ai.request.max_tokens"),
        finish_reason="error" if failed or broken else _reason(reasons),
        **(_error(span, values) if failed else {"error_class": "connection_lost"} if broken else {}),
    )


def _reason(reasons: object) -> object:
    if isinstance(reasons, list):
        return reasons[0] if reasons else None
    return reasons


def _time(value: str | int | None) -> Stamp:
    return epoch_stamp(_integer(value) if value is not None else None)


def _address(values: dict[str, object]) -> str | None:
    """host:port, which is all that a span tells of the endpoint."""
    host, port = values.get("server.address"), values.get("server.port")
    return f"{host}:{port}" if host and port else str(host) if host else None


def _error(span: _Span, values: dict[str, object]) -> dict[str, object]:
    messages = [str(_values(event.attributes).get("exception.message") or "") for event in span.events]
    told = span.status.message if span.status else None
    kind = str(values.get("error.type") or "")
    text = told or next((message for message in messages if message), None) or kind or None
    cells = error_cells(classify_best(told, *messages, kind), text)
    if cells["error_class"] == "timeout" and (values.get("gen_ai.response.id") is not None or _begun(span)):
        cells["error_class"] = "stream_timeout"  # the answer had begun
    status = _integer(kind) or values.get("http.response.status_code")
    return {**cells, "http_status": cells["http_status"] or status}


def _begun(span: _Span) -> bool:
    """Whether the span shows that the answer had begun: its parts, or what the SDK was doing."""
    traces = (str(_values(event.attributes).get("exception.stacktrace") or "") for event in span.events)
    return any(event.name in _TOKENS for event in span.events) or any(
        place in trace for trace in traces for place in _STREAMING
    )


@dataclass(frozen=True, slots=True)
class OtelFormat:
    id: str = "otel"
    title: str = "OpenTelemetry export (OTLP JSON lines)"
    side: Side = "agent"
    versions: str = "OTLP JSON 1.0+, GenAI conventions 1.28-1.41, OpenInference 0.1"

    def recognise(self, head: bytes, path: str) -> float:
        begin = head.lstrip()[:200]
        export = (b'{"resourceSpans":', b'{"resourceMetrics":', b'{"resourceLogs":')
        return 0.95 if begin.replace(b" ", b"").startswith(export) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OtelReader())
