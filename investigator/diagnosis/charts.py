"""Numbers behind the charts of an incident: the prefill curve with its interval, and where memory goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from investigator.capacity.fit import PrefillFit, PrefillPoint, fit_prefill
from investigator.capacity.kv import kv_type_factor
from investigator.diagnosis.incidents import Row
from investigator.diagnosis.model import Curve, MemoryBar
from investigator.rulebook.findings import Label, Value

_GRID = 40


class ReadingLaws:
    """The reading law of each model by its answered requests, fitted once for all incidents.

    `labels` gives the label of each attempt's prefill time.
    """

    def __init__(self, attempts: Iterable[Row], labels: Mapping[str, Label]) -> None:
        self._points: dict[Value, list[PrefillPoint]] = {}
        self._fits: dict[Value, PrefillFit | None] = {}
        for row in attempts:
            point = timed_read(row, labels) if row["outcome"] in ("ok", "cut_by_length") else None
            if point is not None:
                self._points.setdefault(row["model_key"], []).append(point)

    def points(self, model_key: Value) -> Sequence[PrefillPoint]:
        """All timed reads of a model, also those that its law leaves out."""
        return self._points.get(model_key, ())

    def fit(self, model_key: Value) -> PrefillFit | None:
        """None where nothing was timed."""
        if model_key not in self._fits:
            self._fits[model_key] = fit_prefill(self.points(model_key))
        return self._fits[model_key]


def curve(failed: Sequence[Row], laws: ReadingLaws) -> Curve | None:
    """Points of the same model's answered requests, the fitted law and its interval up to what was asked.

    None where nothing was timed.
    """
    row = next((row for row in failed if row["prefill_r0"] is not None), None)
    if row is None:
        return None
    fit = laws.fit(row["model_key"])
    if fit is None:
        return None
    wanted = max((n for a in failed for n in (a["asked_tokens"], a["read_tokens"]) if isinstance(n, int)), default=0)
    reach = max([wanted, *(p.depth_tokens for p in laws.points(row["model_key"]))]) * 1.05
    grid = [reach * (n + 1) / _GRID for n in range(_GRID)]
    line = tuple((n, i.low, i.mid, i.high) for n, i in ((n, fit.predict(n)) for n in grid))
    limits = [row["timeout_s"] for row in failed if isinstance(row["timeout_s"], (int, float))]
    return Curve(
        model=str(row["model"] or row["model_key"]),
        points=tuple((float(p.new_tokens), p.seconds, p.label) for p in fit.points),
        line=line,
        limit_s=float(max(limits)) if limits else None,
        r0_tps=fit.r0_tps,
        c_s_per_token2=fit.c,
        note=_note(fit),
        lower_bound=fit.basis != "fit",
    )


def timed_read(row: Row, labels: Mapping[str, Label]) -> PrefillPoint | None:
    """An attempt as a point of the reading curve; None where its reading was not timed."""
    seconds, read = row["prefill_s"], row["read_tokens"]
    if not isinstance(seconds, float) or not isinstance(read, int):
        return None
    cached = row["cached_tokens"] if isinstance(row["cached_tokens"], int) else 0
    return PrefillPoint(read - cached, cached, seconds, labels.get(str(row["attempt_id"]), "derived"))


def _note(fit: PrefillFit) -> str:
    if fit.basis != "fit":
        return f"one depth only ({fit.deepest_tokens:,} tokens): the line is a lower bound"
    told = f"fitted to {fit.n_points} requests of this case, the deepest at {fit.deepest_tokens:,} tokens"
    return told if fit.break_at is None else f"{told}; {fit.break_at.say}"


def memory(failed: Sequence[Row]) -> tuple[MemoryBar, ...]:
    """One bar for the window in force, one for the model's own window, against the device's limit."""
    row = next((r for r in failed if _number(r["weights_bytes"]) and _number(r["kv_bytes_per_token"])), None)
    if row is None:
        return ()
    windows = [("window in force", row["window_tokens"]), ("model's own window", row["native_window_tokens"])]
    bars = [_bar(row, title, int(window)) for title, window in windows if isinstance(window, int)]
    return tuple(bars[:1] if len(bars) == 2 and windows[0][1] == windows[1][1] else bars)


def _bar(row: Row, title: str, window_tokens: int) -> MemoryBar:
    factor = float(kv_type_factor(str(row["kv_type"] or "f16")))
    slots = row["slots"] if isinstance(row["slots"], int) else 1
    kv_bytes = (_number(row["kv_bytes_per_token"]) or 0.0) * window_tokens * slots * factor
    parts = [
        ("weights", _number(row["weights_bytes"])),
        ("KV cache", kv_bytes),
        ("compute buffers", _number(row["compute_bytes"])),
    ]
    return MemoryBar(
        title=f"{title}: {window_tokens:,} tokens",
        parts=tuple((name, size) for name, size in parts if size),
        limit_bytes=_number(row["memory_limit_bytes"]),
        limit_basis=None if row["memory_limit_basis"] is None else str(row["memory_limit_basis"]),
    )


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
