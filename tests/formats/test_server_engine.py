"""Properties of the engine: any bytes, any cut, and text of others never taken for known noise."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from investigator.formats.base import Parsed
from investigator.formats.common import conform, fact_ids
from investigator.formats.facts import fact_tables
from investigator.formats.registry import format_by_id, recognise
from tests.formats.server_samples import SERVER_FORMATS, feed, load_samples, parse

MIXED = [sample.data for format_id in SERVER_FORMATS for sample in load_samples(format_id)]
WHOLE = b"".join(MIXED)

PROSE = """The server was slow this morning, so we looked at it together.
Waiting for the bus, she said that the model loaded its own arguments.
Note: loading model trains takes patience. Error handling is a separate story.
  Starting over is always possible; running in circles is not.
"""
TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/main.py", line 12, in <module>
    run()
  File "/srv/app/main.py", line 8, in run
    raise ValueError("bad value")
ValueError: bad value
"""
NGINX = """10.0.0.5 - - [21/Mar/2025:20:31:05 +0100] "POST /api/chat HTTP/1.1" 504 167 "-" "python-httpx/0.27"
2025/03/21 20:31:05 [error] 31#31: *7 upstream timed out (110: Connection timed out) while reading response header
"""


def check_account(parsed: Parsed, lines: int) -> None:
    total = parsed.fact_lines + sum(parsed.noise.values()) + parsed.foreign_lines + parsed.unrecognised.height
    assert parsed.lines == total == lines
    for table, frame in parsed.facts.items():
        assert frame.schema == pl.Schema(fact_tables()[table].polars_schema())
        assert frame["fact_id"].is_unique().all()
    counted = [frame.filter(pl.col("lines") > 0) for frame in parsed.facts.values()]
    assert sum(frame["lines"].sum() for frame in counted) == parsed.fact_lines


@pytest.mark.parametrize("format_id", SERVER_FORMATS)
def test_every_line_is_accounted_for(format_id: str) -> None:
    check_account(parse(format_id, WHOLE), WHOLE.count(b"\n"))


@pytest.mark.parametrize("format_id", SERVER_FORMATS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=120), st.sampled_from(MIXED), st.sampled_from([b"time=", b"\r\n", b"\x00" * 9, b"slot "])
        ),
        max_size=8,
    )
)
def test_any_bytes_are_read(format_id: str, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    lines = data.count(b"\n") + (0 if data.endswith(b"\n") or not data else 1)
    parsed = feed(format_by_id(format_id), [data])
    total = parsed.fact_lines + sum(parsed.noise.values()) + parsed.foreign_lines + parsed.unrecognised.height
    assert parsed.lines == total == lines


def _same_facts(left: Mapping[str, pl.DataFrame], right: Mapping[str, pl.DataFrame]) -> None:
    assert set(left) == set(right)
    for table in left:
        assert_frame_equal(left[table].sort("fact_id"), right[table].sort("fact_id"))


@settings(max_examples=4, deadline=None)
@given(cuts=st.sets(st.integers(min_value=1, max_value=WHOLE.count(b"\n") - 1), max_size=3))
def test_facts_do_not_depend_on_the_cut(cuts: set[int]) -> None:
    lines = WHOLE.splitlines(keepends=True)
    borders = [0, *sorted(cuts), len(lines)]
    pieces = [b"".join(lines[a:b]) for a, b in pairwise(borders)]
    cut, whole = feed(format_by_id("ollama-server"), pieces), parse("ollama-server", WHOLE)
    _same_facts(cut.facts, whole.facts)
    assert (cut.lines, cut.fact_lines, dict(cut.noise)) == (whole.lines, whole.fact_lines, dict(whole.noise))


def test_cut_inside_a_timing_block_keeps_slot_and_task() -> None:
    block = [
        b"slot print_timing: id  3 | task 9 | \n",
        b"prompt eval time =     702.11 ms /   895 tokens (    0.78 ms per token,  1274.73 tokens per second)\n",
        b"       eval time =    2010.50 ms /    96 tokens (   20.94 ms per token,    47.75 tokens per second)\n",
        b"      total time =    2712.61 ms /   991 tokens\n",
        b"srv  update_slots: all slots are idle\n",
    ]
    for at in range(1, len(block)):
        parsed = feed(format_by_id("llama-server"), [b"".join(block[:at]), b"".join(block[at:])])
        assert parsed.facts["prompt_timing"].select("slot", "task").unique().rows() == [(3, 9)]


@pytest.mark.parametrize("format_id", SERVER_FORMATS)
@pytest.mark.parametrize("text", [PROSE, TRACEBACK, NGINX], ids=["prose", "traceback", "nginx"])
def test_text_of_others_is_not_known_noise(format_id: str, text: str) -> None:
    parsed = parse(format_id, text.encode())
    assert dict(parsed.noise) == {}
    assert parsed.fact_lines == 0


@pytest.mark.parametrize("format_id", SERVER_FORMATS)
@pytest.mark.parametrize("text", [PROSE, TRACEBACK, NGINX], ids=["prose", "traceback", "nginx"])
def test_text_of_others_is_not_claimed(format_id: str, text: str) -> None:
    assert format_by_id(format_id).recognise(text.encode(), "server.log") == 0.0


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"0.00.281.227 I srv  llama_server: listening on http://127.0.0.1:8080\n", "llama-server"),
        (b"slot launch_slot_: id  0 | task 0 | processing task\n", "llama-server"),
        (
            b'[GIN] 2025/03/21 - 20:31:05 | 200 | 4.1s | 127.0.0.1 | POST "/api/chat"\nslot release: id 0\n',
            "ollama-server",
        ),
        (
            b'time=2025-03-21T20:30:43.123+01:00 level=INFO source=sched.go:1 msg="loaded runners" count=1\n',
            "ollama-server",
        ),
        (b"llama_context: n_ctx = 4096\ntime=2025 level=INFO source=server.go:1 msg=x\n", "ollama-server"),
        (b"2024/01/28 10:20:30 routes.go:950: INFO Listening on 127.0.0.1:11434 (version 0.1.22)\n", "ollama-server"),
    ],
)
def test_recognised_by_content(head: bytes, wanted: str) -> None:
    found = recognise(head, "whatever.txt")
    assert found.format is not None and found.format.id == wanted


def test_unsupported_kinds_are_named() -> None:
    found = recognise(b"[2025-03-21 20:31:05][INFO][LM STUDIO SERVER] Running chat completion\n", "x.log")
    assert found.format is None and found.unsupported is not None and found.unsupported.id == "lm-studio"


def test_fact_ids_follow_the_formula() -> None:
    offsets = [0, 1, 77, 2**40]
    expected = [(2**63 + 5 + offset * 0x9E3779B97F4A7C15) % 2**64 for offset in offsets]
    assert fact_ids(2**63 + 5, pl.Series(offsets, dtype=pl.Int64)).to_list() == expected


def test_conform_refuses_unknown_columns() -> None:
    with pytest.raises(KeyError, match="no column colour"):
        conform("notice", pl.DataFrame({"colour": ["red"]}))


def test_evidence_has_neighbours_and_warnings() -> None:
    quiet = b'time=2025-03-21T20:30:43.123Z level=INFO source=sched.go:1 msg="loaded runners" count=1\n'
    loud = b'time=2025-03-21T20:30:43.123Z level=WARN source=runner.go:1 msg="truncating input prompt" limit=1 prompt=2 new=1\n'
    parsed = parse("ollama-server", quiet * 10 + loud + quiet * 10)
    assert parsed.evidence["line_no"].to_list() == list(range(8, 15))


def test_a_log_with_holes_of_nul_is_recognised() -> None:
    line = b'[GIN] 2026/02/18 - 11:00:01 | 200 |  1.5s |       127.0.0.1 | POST     "/api/chat"\n'
    found = recognise(line * 20 + b"\x00" * 20_000 + line * 20, "server.log")
    assert found.format is not None
    assert found.format.id == "ollama-server"
    assert recognise(b"\x00" * 60_000, "hole.bin").format is None
