"""The shape of a cache from an engine's lines agrees with the catalogue's, and buffers move with the window."""

from __future__ import annotations

import polars as pl
import pytest

from investigator.capacity import CacheSettings, geometry_of, kv_bytes
from investigator.casefile.frames import insert_frame
from investigator.planning import load_catalogue, read_measured
from investigator.planning.needs import LoggedBuffers
from investigator.planning.printed import CacheLine, printed_geometry, read_cache_lines
from tests.diagnosis.make import attempt
from tests.planning.make import FOUNDING, case_of

CATALOGUE = load_catalogue()
MIB = 2**20


def lines_of(model_id: str, window: int, kv_type: str = "f16") -> list[CacheLine]:
    """What llama.cpp prints of a catalogue model at this window, one line per kind of layer."""
    lines = []
    geometry = geometry_of(CATALOGUE.model(model_id))
    for group in geometry.attention:
        cells = window if group.window_tokens is None else min(window, -(-(group.window_tokens + 512) // 256) * 256)
        only = type(geometry)((group,))
        size = kv_bytes(only, CacheSettings(window, type_k=kv_type, type_v=kv_type)).total_bytes
        lines.append(CacheLine("kv_cache", cells, group.layers, round(size), kv_type, kv_type))
    state = kv_bytes(geometry, CacheSettings(window)).recurrent_bytes
    return [*lines, CacheLine("recurrent_state", None, None, round(state), None, None)] if state else lines


@pytest.mark.parametrize("kv_type", ["f16", "q8_0"])
@pytest.mark.parametrize("model_id", ["qwen3-coder-30b-a3b", "gpt-oss-20b", "gemma3-27b", "qwen3.5-35b-a3b"])
def test_lines_at_one_window_tell_the_size_at_another(model_id: str, kv_type: str) -> None:
    found = printed_geometry(lines_of(model_id, 16_384, kv_type), slots=1, layers_total=None)
    assert found is not None
    for window in (8_192, 131_072):
        there = CacheSettings(window, type_k=kv_type, type_v=kv_type)
        expected = kv_bytes(geometry_of(CATALOGUE.model(model_id)), there).total_bytes
        assert kv_bytes(found, there).total_bytes == pytest.approx(expected, rel=0.002)


@pytest.mark.parametrize(
    ("slots", "layers", "kv_type"), [(4, 49, "f16"), (1, 11, "f16"), (1, 49, "turbo")], ids=["slots", "layers", "type"]
)
def test_what_the_lines_do_not_tell_is_not_guessed(slots: int, layers: int, kv_type: str) -> None:
    line = CacheLine("kv_cache", 4096, 24, 96 * MIB, kv_type, kv_type)
    assert printed_geometry([line, line], slots, layers) is None
    assert printed_geometry([], 1, None) is None


def test_buffers_that_were_printed_move_with_the_mask() -> None:
    logged = LoggedBuffers(566 * MIB, 131_072)
    assert logged.at(131_072).low == logged.at(131_072).high == 566 * MIB
    assert (logged.at(262_144).low, logged.at(262_144).high) == (566 * MIB, (566 + 256) * MIB)
    assert (logged.at(4_096).low, logged.at(4_096).high) == ((566 - 248) * MIB, 566 * MIB)
    assert LoggedBuffers(MIB, 131_072).at(256).low == 0


def test_the_lines_of_a_case_beat_the_catalogue() -> None:
    """A model with windows that no catalogue knows: 12 layers see all, 12 see 128 tokens."""
    unknown = {
        **FOUNDING,
        "model": "in-house",
        "compute_bytes": 400 * MIB,
        "layers_total": 25,
        "kv_bytes_per_token": 2e5,
    }
    with case_of([attempt("t1", minute=1, **unknown)], chip=None) as case:
        rows = [
            {"part": "weights", "size_bytes": 10, "byte_offset": 1},
            {
                "part": "kv_cache",
                "device": "all",
                "cells": 131_072,
                "layers": 12,
                "size_bytes": 3072 * MIB,
                "byte_offset": 2,
            },
            {"part": "kv_cache", "device": "all", "cells": 768, "layers": 12, "size_bytes": 18 * MIB, "byte_offset": 3},
        ]
        common = {
            "fact_id": 1,
            "source_id": 1,
            "line_no": 1,
            "lines": 1,
            "stamp_kind": "none",
            "type_k": "f16",
            "type_v": "f16",
        }
        names = pl.DataFrame(case.connection.sql("FROM facts.memory_part LIMIT 0")).schema
        insert_frame(
            case.connection, "facts.memory_part", pl.DataFrame([{**common, **row} for row in rows], schema=names)
        )
        assert [line.cells for line in read_cache_lines(case.connection)] == [131_072, 768]
        (model,) = read_measured(case.connection, CATALOGUE).models
        needs = model.needs()
    assert needs is not None
    assert needs.kv_bytes(131_072) == (3072 + 18) * MIB
    assert needs.kv_bytes(262_144) == (6144 + 18) * MIB
    assert needs.compute_bytes(131_072).mid == 400 * MIB
