"""Which formats may be read on from the middle of a stream: those whose parsers carry nothing from line to line."""

from __future__ import annotations

from investigator.formats.base import Parser


def resumes(parser: Parser) -> bool:
    """May a new parser go on where an earlier one ended? Else a stream that grew is read again as a whole."""
    return bool(getattr(parser, "line_local", False))
