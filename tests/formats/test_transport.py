"""A log in any wrapping gives the facts of the bare log."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from investigator.formats.base import Parsed
from investigator.formats.registry import format_by_id, recognise
from tests.formats.server_samples import SERVER_FORMATS, feed, load_samples
from tests.formats.wrappings import WRAPPINGS, Wrapped, coloured

ROOT = Path(__file__).parents[2]
LOGS = sorted((ROOT / "fixtures").glob("**/*server*.log"))
_PLACES = ["fact_id", "source_id", "line_no", "byte_offset", "lines"]
_STAMPS = ["stamp", "stamp_kind", "offset_s"]


@cache
def payload_lines() -> tuple[bytes, ...]:
    """Lines of the fixtures and of all samples, records whole."""
    lines: list[bytes] = []
    for path in LOGS:
        lines += path.read_bytes().splitlines()[:150]
    for format_id in SERVER_FORMATS:
        for sample in load_samples(format_id):
            lines += sample.data.splitlines()
    return tuple(lines)


def sample_lines(step: int = 1, first: int = 0) -> list[bytes]:
    """The lines of every which sample of the servers' logs."""
    every = [sample for format_id in SERVER_FORMATS for sample in load_samples(format_id)]
    return [line for sample in every[first::step] for line in sample.data.splitlines()]


def log_of(kind: str) -> list[bytes]:
    return next(path for path in LOGS if kind in str(path)).read_bytes().splitlines()[:120]


@cache
def read(data: bytes, format_id: str = "ollama-server") -> Parsed:
    return feed(format_by_id(format_id), [data] if data else [])


def comparable(frame: pl.DataFrame, own_stamps: pl.DataFrame) -> pl.DataFrame:
    """Without places; stamps only where the line itself has one (a relative one gives way to the transport's UTC)."""
    own = own_stamps["stamp_kind"].is_in(["utc", "local"])
    return frame.drop(_PLACES + _STAMPS).with_columns(
        pl.when(pl.lit(own)).then(frame["stamp"]).alias("stamp"),
        pl.when(pl.lit(own)).then(frame["stamp_kind"]).alias("stamp_kind"),
    )


def same_facts(wrapped: Parsed, bare: Parsed, line_no: list[int]) -> None:
    assert set(wrapped.facts) == set(bare.facts)
    for table, expected in bare.facts.items():
        found = wrapped.facts[table]
        assert found.height == expected.height, table
        assert found["line_no"].to_list() == [line_no[n - 1] for n in expected["line_no"].to_list()], table
        assert_frame_equal(comparable(found, expected), comparable(expected, expected))


def check(
    wrapped: Wrapped, lines: list[bytes], pieces: list[bytes] | None = None, format_id: str = "ollama-server"
) -> None:
    bare = read(b"".join(line + b"\n" for line in lines), format_id)
    found = feed(format_by_id(format_id), pieces or [wrapped.data])
    same_facts(found, bare, wrapped.line_no)
    total = found.fact_lines + sum(found.noise.values()) + found.foreign_lines + found.unrecognised.height
    assert found.lines == total == wrapped.data.count(b"\n")
    assert found.foreign_lines >= wrapped.neighbours


@pytest.mark.parametrize(("number", "wrapping"), list(enumerate(WRAPPINGS)))
def test_samples(number: int, wrapping: str) -> None:
    """A third of the samples in each wrapping, another in the next."""
    lines = sample_lines(3, number % 3)
    check(WRAPPINGS[wrapping](lines), lines)


@pytest.mark.slow
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_all_samples(wrapping: str) -> None:
    lines = sample_lines()
    check(WRAPPINGS[wrapping](lines), lines)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_recognised_through_the_wrapping(wrapping: str) -> None:
    for kind, wanted in [("founding", "ollama-server"), ("window-belief", "llama-server")]:
        head = WRAPPINGS[wrapping](log_of(kind)).data[: 64 * 1024]
        found = recognise(head, "x.log").format
        assert found is not None and found.id == wanted


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@settings(max_examples=2)
@given(data=st.data())
def test_any_lines_in_any_pieces(wrapping: str, data: st.DataObject) -> None:
    """Lines in any order, coloured or not, some very long; the wrapped log is cut at any line ends."""
    lines = data.draw(st.lists(st.sampled_from(payload_lines()), min_size=1, max_size=12))
    long = data.draw(st.sampled_from([0, 0, 20_000, 100_000]))
    if long:
        lines.insert(
            len(lines) // 2,
            b'time=2026-02-18T11:00:00.000+01:00 level=WARN source=x.go:1 msg="odd" prompt=' + b"x" * long,
        )
    painted = [coloured(line) for line in lines] if data.draw(st.booleans()) else lines
    wrapped = WRAPPINGS[wrapping](painted)
    ends = [n + 1 for n, byte in enumerate(wrapped.data) if byte == 10][:-1]
    cuts = sorted(data.draw(st.sets(st.sampled_from(ends), max_size=4))) if ends else []
    borders = [0, *cuts, len(wrapped.data)]
    check(wrapped, lines, [wrapped.data[a:b] for a, b in pairwise(borders)])


@settings(max_examples=6)
@given(names=st.tuples(st.sampled_from(sorted(WRAPPINGS)), st.sampled_from(sorted(WRAPPINGS))))
def test_two_logs_in_one_file(names: tuple[str, str]) -> None:
    lines = log_of("healthy-day")[:60]
    first, second = (WRAPPINGS[name](lines) for name in names)
    count = first.data.count(b"\n")
    both = read(first.data + second.data)
    twice = read(b"".join(line + b"\n" for line in lines * 2))
    same_facts(both, twice, [*first.line_no, *(n + count for n in second.line_no)])


@settings(max_examples=12)
@given(
    wrapping=st.sampled_from(sorted(WRAPPINGS)),
    junk=st.binary(max_size=200),
    at=st.floats(0, 1),
    drop=st.integers(0, 40),
)
def test_damaged_wrappings_are_read(wrapping: str, junk: bytes, at: float, drop: int) -> None:
    whole = WRAPPINGS[wrapping](log_of("healthy-day")[:12]).data
    place = int(at * len(whole))
    data = whole[:place] + junk + whole[place + drop :]
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    half = data.find(b"\n", len(data) // 2) + 1
    for pieces in ([data], [data[:half], data[half:]]):
        found = feed(format_by_id("ollama-server"), pieces)
        total = found.fact_lines + sum(found.noise.values()) + found.foreign_lines + found.unrecognised.height
        assert found.lines == total == lines


def row_of(text: str) -> dict[str, object]:
    return read(text.encode()).facts["http_request"].row(0, named=True)


ACCESS = '[GIN] 2026/02/18 - 11:15:02 | 200 |  4.1s |  127.0.0.1 | POST     "/api/chat"'


@pytest.mark.parametrize(
    ("head", "zone_s"),
    [
        ("2026-02-18T10:15:02.123456789Z ", 3600),
        ("2026-02-18T11:15:02+01:00 stderr F ", 3600),
        ("1771409702.123456 myhost ollama[7]: ", 3600),
        ("2026-02-18T05:45:03+0000 myhost ollama[7]: ", 19800),
        ("2026-02-18T11:15:03.1Z ", 0),
        ("2026-02-18T10:25:02Z ", None),
        ("Feb 18 11:15:02 myhost ollama[7]: ", None),
        ("", None),
    ],
)
def test_the_transport_tells_the_zone_of_an_access_line(head: str, zone_s: int | None) -> None:
    row = row_of(head + ACCESS + "\n")
    assert (str(row["stamp"]), row["stamp_kind"], row["offset_s"]) == ("2026-02-18 11:15:02", "local", zone_s)


LOADED = (
    "llama_context: n_ctx_per_seq (4096) < n_ctx_train (131072) -- the full capacity of the model will not be utilized"
)


@pytest.mark.parametrize(
    ("head", "stamp", "kind", "offset_s"),
    [
        ("Feb 29 23:59:58 myhost ollama[7]: ", "1972-02-29 23:59:58", "yearless", None),
        ("Mär  1 00:00:01 myhost ollama[7]: ", "1972-03-01 00:00:01", "yearless", None),
        ("12月 31 08:00:00 myhost ollama[7]: ", "1972-12-31 08:00:00", "yearless", None),
        ("févr. 03 08:00:00 myhost ollama[7]: ", "1972-02-03 08:00:00", "yearless", None),
        ("Fri 2026-02-20 08:00:00 CET myhost ollama[7]: ", "2026-02-20 07:00:00", "utc", 3600),
        ("Fri 2026-02-20 08:00:00 +0530 myhost ollama[7]: ", "2026-02-20 02:30:00", "utc", 19800),
        ("Fri 2026-02-20 08:00:00 CST myhost ollama[7]: ", "2026-02-20 08:00:00", "local", None),
        ("2026-02-20T08:00:00+0100 myhost ollama[7]: ", "2026-02-20 07:00:00", "utc", 3600),
        ("2026-02-20T08:00:00.000000001Z ", "2026-02-20 08:00:00", "utc", None),
        ("[ 4242.500000] myhost ollama[7]: ", "1970-01-01 01:10:42.500000", "boot", None),
        ("[ 4242.500000 <    0.000007 >] myhost ollama[7]: ", "1970-01-01 01:10:42.500000", "boot", None),
        ("", "None", "none", None),
    ],
)
def test_what_a_line_without_stamp_gets(head: str, stamp: str, kind: str, offset_s: int | None) -> None:
    facts = read((head + LOADED + "\n").encode()).facts
    row = next(frame.row(0, named=True) for frame in facts.values())
    assert (str(row["stamp"]), row["stamp_kind"], row["offset_s"]) == (stamp, kind, offset_s)


def test_a_message_that_journalctl_left_out_is_a_line_without_facts() -> None:
    parsed = read(b'{"__REALTIME_TIMESTAMP":"1771409702123456","SYSLOG_IDENTIFIER":"ollama","MESSAGE":null}\n')
    assert parsed.lines == 1 and not parsed.facts


@pytest.mark.parametrize("length", [0, 1, 10, 2560, 2570, 0x0A0A])
def test_a_field_of_bytes_whose_length_looks_like_line_ends(length: int) -> None:
    lines = [b"x\x01" + b"y" * max(length - 2, 0) if length > 1 else b"\x01" * length, ACCESS.encode()]
    wrapped = WRAPPINGS["journald export"](lines)
    found = read(wrapped.data)
    assert found.facts["http_request"]["line_no"].to_list() == [wrapped.line_no[1]]
    assert found.lines == wrapped.data.count(b"\n")


def test_pieces_of_both_streams_between_each_other() -> None:
    def record(text: str, stream: str) -> str:
        return f'{{"log":"{text}","stream":"{stream}","time":"2026-02-18T10:15:02.000000001Z"}}\n'

    access = ACCESS.replace('"', '\\"') + "\\n"
    warning = 'time=2026-02-18T11:15:02.000+01:00 level=WARN source=x.go:1 msg=\\"odd one\\" a='
    data = record(warning + "1", "stderr") + record(access, "stdout") + record("2 b=3\\n", "stderr")
    for pieces in ([data.encode()], data.encode().splitlines(keepends=True)):
        parsed = feed(format_by_id("ollama-server"), pieces)
        assert parsed.facts["http_request"]["line_no"].to_list() == [2]
        assert parsed.facts["notice"]["line_no"].to_list() == [1]
        assert parsed.facts["notice"]["detail"].to_list() == ["a=12 b=3"]
        assert parsed.lines == 3


PASTED = [
    b'time=2026-02-18T10:00:05.123Z level=WARN source=runner.go:131 msg="truncating input prompt" limit=4096 prompt=9120 keep=5 new=4096',
    b'[GIN] 2026/02/18 - 10:00:29 | 500 |          5m0s |       127.0.0.1 | POST     "/api/chat"',
    b"llama_context: n_ctx_per_seq (4096) < n_ctx_train (131072) -- the full capacity of the model will not be utilized",
    b"slot      release: id  0 | task 12 | stop processing: n_tokens = 15203, truncated = 0",
]


@pytest.mark.parametrize(
    "prefix", [b"2026-02-18 11:00:30 ", b"2026-02-18 11:00:30.125 ", b"> "], ids=["local", "local, fractions", "quoted"]
)
def test_what_people_paste_from(prefix: bytes) -> None:
    """Docker Desktop and log panels print a local time; a quote in a ticket has its mark."""
    bare = read(b"".join(line + b"\n" for line in PASTED))
    found = read(b"".join(prefix + line + b"\n" for line in PASTED))
    same_facts(found, bare, list(range(1, len(PASTED) + 1)))
    unstamped = found.facts["task_event"]["stamp_kind"].to_list()
    assert unstamped == (["none"] if prefix == b"> " else ["local"])


def test_prose_with_a_time_is_left_alone() -> None:
    text = b"2026-02-18 11:00:30 the server was restarted by hand\n> she said that it had been slow\n"
    assert read(text).unrecognised.height == 2
