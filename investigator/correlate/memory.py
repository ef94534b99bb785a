"""How much memory the devices of a stretch let a model use, and the public `devices` table."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from investigator.capacity.memory import MachineKind, gpu_limit_bytes

from .schema import PlacedFrames, reference

_LIMIT_SCHEMA = {"stretch": pl.String, "memory_bytes": pl.Int64, "memory_basis": pl.String, "memory_src": pl.UInt64,
                 "memory_line": pl.Int32, "memory_label": pl.String}  # fmt: skip
_DISCRETE = ("cuda", "rocm", "hip", "vulkan", "sycl", "oneapi")


@dataclass(frozen=True, slots=True)
class _Limit:
    size: float
    basis: str
    src: int
    line: int
    label: str


def devices_table(placed: PlacedFrames) -> pl.DataFrame:
    """Each device of each stretch, as last seen."""
    seen = placed["compute_device"].filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset")
    keys = ["stretch", "device_id", "library", "name"]
    return seen.with_columns(ref=reference()).group_by(keys, maintain_order=True).agg(
        pl.col("stream").last(), pl.col("device_kind").last(), pl.col("total_bytes").drop_nulls().last(),
        pl.col("available_bytes").drop_nulls().last(), pl.col("ref").last().alias("last_ref"),
    ).with_columns(evidence=pl.concat_list("last_ref"))  # fmt: skip


def memory_limits(placed: PlacedFrames) -> pl.DataFrame:
    """Per stretch the bytes that weights, cache and buffers may take together, with basis and evidence.

    A description of the machine beats the log, because it names a raised limit; a Mac's `inference compute` line prints
    the GPU working set itself. Several cards are summed, which is an upper bound: layers do not cross cards.
    """
    devices = placed["compute_device"].filter(pl.col("stretch").is_not_null()).sort("stretch", "byte_offset")
    host = _host_limit(placed)
    stretches = sorted({*devices["stretch"].to_list(), *_stretches(placed)})
    rows = []
    for stretch in stretches:
        limit = _device_limit(devices.filter(pl.col("stretch") == stretch), host)
        if limit is not None:
            rows.append((stretch, int(limit.size), limit.basis, limit.src, limit.line, limit.label))
    return pl.DataFrame(rows, schema=_LIMIT_SCHEMA, orient="row")


def _stretches(placed: PlacedFrames) -> list[str]:
    found: set[str] = set()
    for name in ("http_request", "runner_start", "slot_init", "load_end", "task_event"):
        found |= set(placed[name]["stretch"].drop_nulls().unique().to_list())
    return sorted(found)


def _host_limit(placed: PlacedFrames) -> _Limit | None:
    """From the one description of a machine in the case; two machines would leave open which is meant."""
    specs = placed["host_spec"].filter(pl.col("memory_bytes").is_not_null() | pl.col("gpu_limit_bytes").is_not_null())
    sizes = specs["memory_bytes"].drop_nulls().unique()
    if specs.is_empty() or len(sizes) > 1:
        return None
    row = specs.sort("source_id", "byte_offset").row(-1, named=True)
    raised = specs["gpu_limit_bytes"].drop_nulls()
    wired = int(raised[-1]) if len(raised) and raised[-1] > 0 else None
    words = " ".join(str(value) for name in ("chip", "machine", "os") for value in specs[name].drop_nulls().to_list())
    if "apple" not in words.lower() and "macos" not in words.lower():
        return (
            None
            if wired is None
            else _Limit(wired, "limit named by the machine's description", row["source_id"], row["line_no"], "measured")
        )
    memory = int(sizes[0]) if len(sizes) else 0
    limit = gpu_limit_bytes(MachineKind.MACOS_UNIFIED, memory, wired)
    share = "iogpu.wired_limit_mb" if wired else "2/3 of memory" if limit.mid < 0.7 * memory else "3/4 of memory"
    return _Limit(
        limit.mid,
        f"{share} ({memory / 2**30:.0f} GiB, Apple unified memory)",
        row["source_id"],
        row["line_no"],
        "derived",
    )


def _device_limit(devices: pl.DataFrame, host: _Limit | None) -> _Limit | None:
    if host is not None:
        return host
    library = pl.col("library").str.to_lowercase()
    last = devices.unique(["device_id", "name"], keep="last", maintain_order=True).filter(pl.col("total_bytes") > 0)
    metal = last.filter(library == "metal")
    cards = last.filter(library.is_in(_DISCRETE))
    cpu = last.filter(library == "cpu")
    if not metal.is_empty():
        return _from_row(metal, float(metal["total_bytes"][-1]), "GPU working set as the server printed it", "measured")
    if not cards.is_empty():
        total = sum(gpu_limit_bytes(MachineKind.DISCRETE, float(size)).mid for size in cards["total_bytes"].to_list())
        of = "of the device" if cards.height == 1 else f"of {cards.height} devices together"
        return _from_row(cards, total, f"memory {of} less what the driver takes", "derived")
    if not cpu.is_empty():
        limit = gpu_limit_bytes(MachineKind.CPU, float(cpu["total_bytes"][-1]))
        return _from_row(cpu, limit.mid, "host memory less what the system takes", "estimated")
    return None


def _from_row(frame: pl.DataFrame, size: float, basis: str, label: str) -> _Limit:
    row = frame.row(-1, named=True)
    return _Limit(size, basis, row["source_id"], row["line_no"], label)
