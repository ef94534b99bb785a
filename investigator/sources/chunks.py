"""What flows from `sources` to `formats`: whole lines, in pieces of bounded size."""

from __future__ import annotations

from dataclasses import dataclass

#: Bytes of a chunk, about; a chunk is longer only when one single line is.
CHUNK_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one source, transport removed.

    data: the bytes; ends in a newline unless this is the stream's last, unfinished line.
    byte_offset: offset of data[0] in the decompressed stream.
    first_line_no: number of the first line, from 1.
    last: True for the stream's last chunk.
    """

    data: bytes
    byte_offset: int
    first_line_no: int
    last: bool
