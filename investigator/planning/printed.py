"""The shape of a model's cache from the lines that an engine printed: it needs no catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from investigator.capacity import (
    CELL_PADDING_TOKENS,
    KV_TYPE_BYTES,
    AttentionLayers,
    KvGeometry,
    RecurrentLayers,
)
from investigator.planning.needs import UBATCH_TOKENS
from investigator.planning.queries import query


@dataclass(frozen=True, slots=True)
class CacheLine:
    """`size = 12288.00 MiB (131072 cells, 48 layers, …), K (f16): …, V (f16): …`; without cells: recurrent state."""

    part: str
    cells: int | None
    layers: int | None
    size_bytes: int
    type_k: str | None
    type_v: str | None


def read_cache_lines(con: duckdb.DuckDBPyConnection) -> tuple[CacheLine, ...]:
    """The lines of the last load that printed cells and layers."""
    return tuple(CacheLine(*row) for row in con.execute(query("cache_lines")).fetchall())


def printed_geometry(lines: Sequence[CacheLine], slots: int, layers_total: int | None) -> KvGeometry | None:
    """The geometry behind the lines; None where they are of more layers than the model has, of an unknown type, or of
    several slots (lines do not always tell how many streams share the size).

    The most cells are those of layers that see everything; fewer cells belong to layers with a window, and recurrent
    state is the same for every window. Only bytes per cell can be told, so each group is one layer of one head.
    """
    caches = [line for line in lines if line.cells and line.layers]
    if (
        not caches
        or slots != 1
        or (layers_total is not None and sum(line.layers or 0 for line in caches) > layers_total)
    ):
        return None
    full = max(line.cells or 0 for line in caches)
    groups = [_group(line, full) for line in caches]
    if any(group is None for group in groups):
        return None
    states = [line.size_bytes for line in lines if line.part == "recurrent_state"]
    recurrent = RecurrentLayers(1, 1, round(sum(states) / 4), 1, 0) if states else None
    return KvGeometry(tuple(group for group in groups if group is not None), recurrent)


def _group(line: CacheLine, full_cells: int) -> AttentionLayers | None:
    cells, type_k, type_v = line.cells or 0, line.type_k or "f16", line.type_v or "f16"
    per_pair = KV_TYPE_BYTES.get(type_k, 0.0) + KV_TYPE_BYTES.get(type_v, 0.0)
    if not per_pair:
        return None
    heads = round(line.size_bytes / cells / per_pair)
    window = None if cells == full_cells else max(cells - UBATCH_TOKENS, CELL_PADDING_TOKENS)
    return AttentionLayers(1, 1, heads, heads, window)
