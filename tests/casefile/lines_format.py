"""A format for these tests: each line `OK path` becomes a request, `# …` is noise, everything else is not understood."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from investigator.formats.base import Format, Parsed, SourceInfo
from investigator.formats.common import fact_ids
from investigator.formats.facts import fact_tables
from investigator.formats.registry import Recognition
from investigator.sources.chunks import Chunk


class LinesParser:
    def __init__(self, info: SourceInfo) -> None:
        self._info = info

    def feed(self, chunk: Chunk) -> Parsed:
        raw = chunk.data.splitlines(keepends=True)
        rows, unknown, noise, offset = [], [], 0, chunk.byte_offset
        for line_no, line in enumerate(raw, chunk.first_line_no):
            text = line.decode().rstrip("\n")
            if text.startswith("OK "):
                rows.append({"line_no": line_no, "byte_offset": offset, "lines": 1, "path": text[3:]})
            elif text.startswith("#"):
                noise += 1
            else:
                unknown.append((line_no, offset, "other", text))
            offset += len(line)
        schema = fact_tables()["http_request"].polars_schema()
        frame = pl.DataFrame(
            rows, schema={"line_no": pl.Int32, "byte_offset": pl.Int64, "lines": pl.Int32, "path": pl.String}
        )
        frame = frame.with_columns(
            source_id=pl.lit(self._info.source_id, dtype=pl.UInt64),
            fact_id=fact_ids(self._info.source_id, frame["byte_offset"]),
        )
        missing = [pl.lit(None, dtype=type_).alias(name) for name, type_ in schema.items() if name not in frame.columns]
        return Parsed(
            facts={"http_request": frame.with_columns(missing).select(list(schema))},
            lines=len(raw),
            fact_lines=len(rows),
            noise={"comment": noise} if noise else {},
            foreign_lines=0,
            unrecognised=pl.DataFrame(
                unknown,
                schema={"line_no": pl.Int32, "byte_offset": pl.Int64, "shape": pl.String, "text": pl.String},
                orient="row",
            ),
            evidence=pl.DataFrame(
                [(row[0], row[3]) for row in unknown], schema={"line_no": pl.Int32, "text": pl.String}, orient="row"
            ),
            consumed_bytes=len(chunk.data),
        )


class LinesFormat:
    id = "lines"
    title = "Lines"
    side = "server"
    versions = "1"

    def recognise(self, head: bytes, path: str) -> float:
        return 1.0 if head.startswith(b"OK") else 0.0

    def parser(self, info: SourceInfo) -> LinesParser:
        return LinesParser(info)


def recognise(head: bytes, path: str, more: Iterable[Format] = ()) -> Recognition:
    format_: Format = LinesFormat()  # type: ignore[assignment]
    return Recognition(format_, None, 1.0) if format_.recognise(head, path) else Recognition(None, None, 0.0)
