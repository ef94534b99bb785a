"""Decode speed: intervals against public measurements, ceilings, moves to other machines."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

import pytest

from investigator.capacity import Backend, decode_ceiling_tps, decode_tps_interval, scale_decode, scale_prefill

GB = 1e9


def backend_of(machine_id: str) -> Backend:
    prefixes = {"apple": Backend.METAL, "nvidia": Backend.CUDA, "amd-strix": Backend.STRIX_HALO, "amd-": Backend.RADEON}
    known = (backend for prefix, backend in prefixes.items() if machine_id.startswith(prefix))
    return next(known, Backend.CPU)


def test_public_measurements(shared: Path) -> None:
    inside, widths = [], []
    with (shared / "knowledge/validation/decode.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            interval = decode_tps_interval(
                float(row["bandwidth_gb_s"]),
                float(row["active_weight_gb"]) * GB,
                float(row["kv_read_gb"] or 0) * GB,
                moe=row["moe"] == "yes",
                backend=backend_of(row["machine_id"]),
                latent_attention=row["model"].startswith("GLM-4.7"),
            )
            inside.append(interval.contains(float(row["measured_tg"])))
            widths.append(interval.half_width)
    assert len(inside) >= 60
    assert sum(inside) / len(inside) >= 0.9
    assert statistics.median(widths) <= 0.35


@pytest.mark.parametrize(
    ("bandwidth_gb_s", "ceiling", "measured"), [(273, 6.4, 4.71), (819, 19.3, 14.1), (256, 6.0, 4.97)]
)
def test_ceiling_of_a_70b_model(bandwidth_gb_s: float, ceiling: float, measured: float) -> None:
    assert decode_ceiling_tps(bandwidth_gb_s, 42.5 * GB) == pytest.approx(ceiling, abs=0.05)
    assert decode_tps_interval(bandwidth_gb_s, 42.5 * GB).contains(measured)
    assert decode_tps_interval(bandwidth_gb_s, 42.5 * GB).high <= ceiling


@pytest.mark.parametrize(("bandwidth_gb_s", "measured"), [(1935, 138.31), (2039, 144.49)])
def test_small_models_on_fast_memory_wait_for_launches(bandwidth_gb_s: float, measured: float) -> None:
    assert decode_tps_interval(bandwidth_gb_s, 4.918 * GB, backend=Backend.CUDA).contains(measured)


def test_cache_at_depth_slows_decoding() -> None:
    shallow, deep = (decode_tps_interval(800, 8.1 * GB, kv).mid for kv in (0.0, 8.1 * GB))
    assert deep == pytest.approx(shallow / 2)


@pytest.mark.parametrize("guessed_ratio", [1.0, 1.16, 1.6])
def test_a_move_that_was_measured_lies_inside_the_stated_spread(guessed_ratio: float) -> None:
    """Qwen3-Coder-30B from M2 Ultra to DGX Spark, where r0 is 3353 and c 6.8e-9."""
    moved = scale_prefill(2891, 2.889e-8, guessed_ratio)
    assert moved.r0_tps.contains(3353)
    assert moved.predict(146_760).contains(191)
    assert moved.predict(146_760).label == "estimated"


def test_measured_attention_on_the_target_narrows_the_move() -> None:
    loose = scale_prefill(2891, 2.889e-8, 1.16).predict(146_760)
    tight = scale_prefill(2891, 2.889e-8, 1.16, target_c=6.8e-9).predict(146_760)
    assert tight.half_width < loose.half_width
    assert tight.contains(191)


def test_decode_moves_with_bandwidth() -> None:
    moved = scale_decode(60.0, 0.5, moe=True)
    assert (moved.low, moved.mid, moved.high) == pytest.approx((30 / 1.4, 30, 42))
