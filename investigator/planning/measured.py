"""What a case's own logs say of its models and its machine: it beats the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from investigator.capacity import GIB, Break, Interval, KvGeometry, fit_prefill, geometry_of, kv_bytes_per_token
from investigator.casefile.frames import read_frame
from investigator.catalog import Machine, ModelSpec, find_machine, find_models
from investigator.diagnosis.charts import timed_read
from investigator.planning.catalogue import Catalogue
from investigator.planning.needs import Budget, LoggedBuffers, ModelNeeds, measured_needs, needs_of
from investigator.planning.printed import CacheLine, printed_geometry, read_cache_lines
from investigator.planning.queries import query
from investigator.planning.speed import Measured, ReadingSpeed, case_speed

#: Sizes that agree this well are the same: a log rounds to MiB, a projector or another build adds a little.
_SAME_WEIGHTS, _SAME_CACHE = 0.06, 0.01


@dataclass(frozen=True, slots=True)
class CaseModel:
    """One model of a case; None for what no line says. `spec`: the catalogue's entry of it, if it is known."""

    key: str
    names: tuple[str, ...]
    weights_bytes: float | None
    kv_bytes_per_token: float | None
    native_window_tokens: int | None
    layers: int | None
    buffers: LoggedBuffers | None
    printed: KvGeometry | None
    memory_limit_bytes: float | None
    memory_limit_basis: str | None
    prefill_r0: float | None
    prefill_c: float | None
    prefill_spread: float | None
    prefill_points: int | None
    prefill_fitted_to_tokens: int | None
    break_at: Break | None
    spec: ModelSpec | None

    @property
    def name(self) -> str:
        return self.names[0] if self.names else self.spec.id if self.spec else self.key

    def needs(self) -> ModelNeeds | None:
        """Its needs with what was measured; None when neither log nor catalogue tells its size."""
        if self.spec is not None:
            found = needs_of(self.spec, self.quant())
            return self._measured(found)
        if self.weights_bytes is None or self.kv_bytes_per_token is None:
            return None
        native, layers = self.native_window_tokens, self.layers or 1
        bare = measured_needs(self.name, self.weights_bytes, self.kv_bytes_per_token, native, layers)
        return self._measured(bare)

    def _measured(self, needs: ModelNeeds) -> ModelNeeds:
        return needs.with_measured(
            self.weights_bytes, self.kv_bytes_per_token, self.native_window_tokens, self.printed, self.buffers
        )

    def quant(self) -> str | None:
        """The file whose size is nearest to the weights in memory."""
        if self.spec is None or self.weights_bytes is None or not self.spec.weights:
            return None
        size = self.weights_bytes
        return min(self.spec.weights, key=lambda file: abs((file.size_bytes or file.listed_gb * 1e9) - size)).quant

    def speed(self) -> ReadingSpeed | None:
        """The case's own fit."""
        if self.prefill_r0 is None or self.prefill_c is None:
            return None
        fitted_to = self.prefill_fitted_to_tokens
        requests = f"{self.prefill_points or 'the'} request{'s' if self.prefill_points != 1 else ''} of this case"
        note = f"fitted to {requests}" + (f", the deepest at {fitted_to:,} tokens" if fitted_to else "")
        return case_speed(self.prefill_r0, self.prefill_c, self.prefill_spread, note, fitted_to, self.break_at)

    def budget(self) -> Budget | None:
        if self.memory_limit_bytes is None:
            return None
        basis = self.memory_limit_basis or "as the logs say"
        return Budget((Interval.exact(self.memory_limit_bytes, "derived"),), basis, "case")


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """The models of a case, the most used first, and its machine, where the catalogue knows it."""

    models: tuple[CaseModel, ...]
    machine: Machine | None
    machine_name: str | None
    memory_bytes: int | None

    @property
    def memory_gib(self) -> float | None:
        return None if self.memory_bytes is None else self.memory_bytes / GIB

    def model(self, text: str) -> CaseModel | None:
        """The model that the case calls so; the catalogue's name or the key do as well."""
        wanted = _plain(text)
        named = [m for m in self.models if wanted in {_plain(name) for name in (*m.names, m.key)}]
        known = [m for m in self.models if m.spec is not None and m.spec in find_models(text, [m.spec])]
        return next(iter(named or known), None)

    def own(self, model: CaseModel) -> Measured | None:
        """This model's speed on the case's machine, as a source for other machines."""
        speed = model.speed()
        return Measured(self.machine, speed) if self.machine is not None and speed is not None else None


def read_measured(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> CaseFacts:
    """Read what the views of an analysed case say. Reads only."""
    cursor = con.execute(query("measured"))
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    told = [str(name) for (name,) in con.execute(query("model_names")).fetchall()]
    # Descriptions and cache lines name no load: only where there is one model it is clear which one they are of.
    alone = len(rows) == 1
    lines = read_cache_lines(con) if alone else ()
    models = tuple(
        replace(_model(row, told if alone else (), lines, catalogue), break_at=_break(con, str(row["model_key"])))
        for row in rows
    )
    machine, machine_name, memory = _machine(con, catalogue)
    return CaseFacts(models, machine, machine_name, memory)


def _model(row: dict[str, object], told: Sequence[str], lines: Sequence[CacheLine], catalogue: Catalogue) -> CaseModel:
    listed = row["names"]
    own = tuple(str(name) for name in listed) if isinstance(listed, list) else ()
    weights, per_token = _number(row["weights_bytes"]), _number(row["kv_bytes_per_token"])
    native = _whole(row["native_window_tokens"])
    compute, compute_at = _number(row["compute_bytes"]), _whole(row["compute_at_tokens"])
    layers = _whole(row["layers_total"])
    spec = _recognised((*own, *told), weights, per_token, native, catalogue)
    return CaseModel(
        key=str(row["model_key"]),
        names=own,
        weights_bytes=weights,
        kv_bytes_per_token=per_token,
        native_window_tokens=native,
        layers=layers,
        buffers=LoggedBuffers(compute, compute_at) if compute and compute_at else None,
        printed=printed_geometry(lines, _whole(row["slots"]) or 1, layers),
        memory_limit_bytes=_number(row["memory_limit_bytes"]),
        memory_limit_basis=None if row["memory_limit_basis"] is None else str(row["memory_limit_basis"]),
        prefill_r0=_number(row["prefill_r0"]),
        prefill_c=_number(row["prefill_c"]),
        prefill_spread=_number(row["prefill_spread"]),
        prefill_points=_whole(row["prefill_points"]),
        prefill_fitted_to_tokens=_whole(row["prefill_fitted_to_tokens"]),
        break_at=None,
        spec=spec,
    )


def _break(con: duckdb.DuckDBPyConnection, model_key: str) -> Break | None:
    """Where this model's answered reads leave their own law."""
    rows = read_frame(con, query("timed_reads"), [model_key]).to_dicts()
    points = [point for row in rows if (point := timed_read(row, {})) is not None]
    fit = fit_prefill(points)
    return None if fit is None else fit.break_at


def _recognised(
    names: Sequence[str], weights: float | None, per_token: float | None, native: int | None, catalogue: Catalogue
) -> ModelSpec | None:
    """By name, if the sizes do not speak against it; else by all three sizes, if they fit one model only."""

    def agrees(spec: ModelSpec) -> bool:
        return _cache_agrees(spec, per_token) and (native is None or spec.native_window_tokens == native)

    for name in names:
        found = [spec for spec in find_models(name, catalogue.models) if agrees(spec)]
        if len(found) == 1:
            return found[0]
    if weights is None or per_token is None or native is None:
        return None
    alike = [spec for spec in catalogue.models if agrees(spec) and _weights_agree(spec, weights)]
    return alike[0] if len(alike) == 1 else None


def _cache_agrees(spec: ModelSpec, per_token: float | None) -> bool:
    even = spec.window_attention is None and spec.recurrent is None
    if per_token is None or not even:
        return True
    return abs(kv_bytes_per_token(geometry_of(spec)) / per_token - 1) <= _SAME_CACHE


def _weights_agree(spec: ModelSpec, weights: float) -> bool:
    sizes = [file.size_bytes or file.listed_gb * 1e9 for file in spec.weights]
    return any(abs(size / weights - 1) <= _SAME_WEIGHTS for size in sizes)


def _machine(con: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> tuple[Machine | None, str | None, int | None]:
    rows = con.execute(query("hosts")).fetchall()
    for name, memory_bytes in rows:
        # A Metal device prints its working set, not the memory: without a fit by size the name must do.
        size = None if memory_bytes is None else memory_bytes / GIB
        found = find_machine(name, size, catalogue.machines) or find_machine(name, None, catalogue.machines)
        if found is not None:
            return found, str(name), _whole(memory_bytes)
    return (None, str(rows[0][0]), _whole(rows[0][1])) if rows else (None, None, None)


def _plain(name: str) -> str:
    return name.strip().lower().removesuffix(":latest").rsplit("/", 1)[-1]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
