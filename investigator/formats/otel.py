"""OpenTelemetry GenAI spans as OTLP JSON lines (collector file exporter). agent-logs.md §21; conventions 1.28-1.41.

One line holds several spans; each span that calls a model is a call. A span covers all retries inside its SDK.
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
_ERROR_STATUS = (2, "2", "STATUS_CODE_ERROR")


class _Attribute(msgspec.Struct):
    key: str
    value: Any = None


class _Event(msgspec.Struct):
    name: str | None = None
    attributes: list[_Attribute] = msgspec.field(default_factory=list)


class _Status(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None


class _Span(msgspec.Struct):
    name: str | None = None
    traceId: str | None = None
    spanId: str | None = None
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
            for span in (span for scope in group.scopeSpans for span in scope.spans):
                found |= _call(span, service, at, rows)
        return None if found else Noise("spans that call no model")


def _first(values: dict[str, object], *keys: str) -> object:
    return next((values[key] for key in keys if values.get(key) is not None), None)


def _call(span: _Span, service: dict[str, object], at: At, rows: Rows) -> bool:
    values = _values(span.attributes)
    operation = str(_first(values, "gen_ai.operation.name", "llm.request.type") or "")
    if operation not in _CALLS:
        return False
    start, end = _time(span.startTimeUnixNano), _time(span.endTimeUnixNano)
    reasons = _first(values, "gen_ai.response.finish_reasons")
    failed = (span.status is not None and span.status.code in _ERROR_STATUS) or values.get("error.type") is not None
    first_chunk = _first(values, "gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
    rows.add(
        "agent_call",
        at,
        end if end.at else start,
        agent=_first(service, "service.name"),
        session_id=_first(values, "gen_ai.conversation.id", "session.id") or span.traceId,
        record_id=span.spanId,
        provider=_first(values, "gen_ai.provider.name", "gen_ai.system"),
        model=_first(values, "gen_ai.request.model", "gen_ai.response.model"),
        api=operation,
        base_url=_address(values),
        started_at=start.at,
        ended_at=end.at,
        start_basis="measured" if start.at else None,
        first_token_s=first_chunk,
        input_tokens=_first(values, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens") or None,
        output_tokens=_first(values, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
        cache_read_tokens=_first(values, "gen_ai.usage.cache_read.input_tokens"),
        max_output_tokens=_first(values, "gen_ai.request.max_tokens"),
        finish_reason="error" if failed else reasons[0] if isinstance(reasons, list) and reasons else None,
        **(_error(span, values) if failed else {}),
    )
    return True


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
    if cells["error_class"] == "timeout" and values.get("gen_ai.response.id") is not None:
        cells["error_class"] = "stream_timeout"  # the answer had begun
    status = _integer(kind) or values.get("http.response.status_code")
    return {**cells, "http_status": cells["http_status"] or status}


@dataclass(frozen=True, slots=True)
class OtelFormat:
    id: str = "otel"
    title: str = "OpenTelemetry export (OTLP JSON lines)"
    side: Side = "agent"
    versions: str = "OTLP JSON 1.0+, GenAI conventions 1.28-1.41"

    def recognise(self, head: bytes, path: str) -> float:
        begin = head.lstrip()[:200]
        export = (b'{"resourceSpans":', b'{"resourceMetrics":', b'{"resourceLogs":')
        return 0.95 if begin.replace(b" ", b"").startswith(export) else 0.0

    def parser(self, info: SourceInfo) -> JsonlParser:
        return JsonlParser(info, OtelReader())
