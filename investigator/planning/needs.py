"""What a model needs and what a machine has: bytes, with the source of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from investigator.capacity import (
    GB,
    GIB,
    AttentionLayers,
    Backend,
    CacheSettings,
    Fit,
    Interval,
    KvGeometry,
    MachineKind,
    active_weight_bytes,
    compute_buffer_bytes,
    decode_tps_interval,
    fits,
    fits_on_cards,
    geometry_of,
    gpu_limit_bytes,
    kv_bytes,
    weights_bytes,
)
from investigator.catalog import Machine, ModelSpec
from investigator.errors import UsageProblem

Origin: TypeAlias = Literal["case", "catalogue"]

UBATCH_TOKENS = 512
#: Smallest, usual and largest vocabulary of current models: the buffers of one micro-batch hang on it.
_VOCABULARY_TOKENS = (32_000, 151_936, 262_144)
#: A listed size is cut to an integer of GB from 10 up, to one decimal below.
_LISTED_FROM_GB = 10
#: What the library's plain tags are, where no file is known: then the size is parameters times bits.
_USUAL_QUANT = "Q4_K_M"


@dataclass(frozen=True, slots=True)
class LoggedBuffers:
    """Graph buffers that an engine printed at a window (over all its slots)."""

    size_bytes: float
    window_tokens: int

    def at(self, window_tokens: int) -> Interval:
        """At another window: the same, or larger or smaller by the mask, 4 bytes per token and row of a micro-batch."""
        mask = 4.0 * (window_tokens - self.window_tokens) * UBATCH_TOKENS
        ends = sorted((self.size_bytes, max(self.size_bytes + mask, 0.0)))
        return Interval(ends[0], sum(ends) / 2, ends[1], "estimated" if mask else "measured")


@dataclass(frozen=True, slots=True)
class ModelNeeds:
    """One file of one model. `kv_lower_bound`: parts of its state are of unknown size."""

    name: str
    quant: str | None
    weights: Interval
    geometry: KvGeometry
    native_window_tokens: int | None
    layers: int
    active_share: float
    mixture: bool
    latent_attention: bool
    origin: Origin
    model_id: str | None = None
    buffers: LoggedBuffers | None = None

    @property
    def kv_lower_bound(self) -> bool:
        return not self.geometry.recurrent_known

    def kv_bytes(self, window_tokens: int, slots: int = 1, kv_type: str = "f16") -> float:
        """Cache and state for a window per slot, as Ollama lays it out."""
        return kv_bytes(self.geometry, CacheSettings.for_ollama(window_tokens, slots, kv_type)).total_bytes

    def compute_bytes(self, window_tokens: int, slots: int = 1) -> Interval:
        """Graph buffers with flash attention: what a log printed, else of all usual vocabularies."""
        if self.buffers is not None:
            return self.buffers.at(window_tokens * slots)
        low, mid, high = (
            compute_buffer_bytes(size, UBATCH_TOKENS, window_tokens * slots, True) for size in _VOCABULARY_TOKENS
        )
        return Interval(low.low, mid.mid, high.high, "estimated")

    def with_measured(
        self,
        weights: float | None = None,
        per_token: float | None = None,
        native: int | None = None,
        printed: KvGeometry | None = None,
        buffers: LoggedBuffers | None = None,
    ) -> ModelNeeds:
        """The same with what a case's logs print: bytes of weights, of cache per token (f16), the window, the shape of
        the cache where its lines tell cells and layers, and the graph buffers."""
        geometry = printed or self.geometry
        # A cache that does not grow evenly (windows, recurrent state) keeps the catalogue's shape, which says more.
        even = all(group.window_tokens is None for group in geometry.attention) and geometry.recurrent is None
        if per_token is not None and printed is None and even and geometry.recurrent_known:
            geometry = _even_geometry(per_token)
        return replace(
            self,
            weights=self.weights if weights is None else Interval.exact(weights),
            geometry=geometry,
            native_window_tokens=self.native_window_tokens if native is None else native,
            origin="case",
            buffers=buffers,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """Memory that a model may take. `limits`: of each card, one for shared memory; `basis` says where it comes from."""

    limits: tuple[Interval, ...]
    basis: str
    origin: Origin

    def judge(self, needs: ModelNeeds, window_tokens: int, slots: int, kv_type: str) -> Fit:
        """Whether weights, cache and buffers stay within."""
        cache, buffers = needs.kv_bytes(window_tokens, slots, kv_type), needs.compute_bytes(window_tokens, slots)
        if len(self.limits) == 1:
            return fits(needs.weights, cache, buffers, self.limits[0])
        return fits_on_cards(needs.weights.mid, cache, buffers, self.limits, needs.layers)


def needs_of(model: ModelSpec, quant: str | None = None) -> ModelNeeds:
    """Needs of a catalogue model: the named file, else its first. UsageProblem for a quantisation of unknown size."""
    weights, name = _weights(model, quant)
    return ModelNeeds(
        name=model.tags[0] if model.tags else model.id,
        quant=name,
        weights=weights,
        geometry=geometry_of(model),
        native_window_tokens=model.native_window_tokens,
        layers=model.layers,
        active_share=active_weight_bytes(1.0, model.total_parameters, model.active_parameters),
        mixture=model.is_mixture,
        latent_attention=model.latent_attention is not None,
        origin="catalogue",
        model_id=model.id,
    )


def measured_needs(name: str, weights: float, per_token: float, native: int | None, layers: int) -> ModelNeeds:
    """Needs of a model that only the case's logs describe; its active share is not known, so all of it counts."""
    return ModelNeeds(
        name=name,
        quant=None,
        weights=Interval.exact(weights),
        geometry=_even_geometry(per_token),
        native_window_tokens=native,
        layers=layers,
        active_share=1.0,
        mixture=False,
        latent_attention=False,
        origin="case",
    )


def budget_of(machine: Machine, memory_gib: float | None = None) -> Budget:
    """Limit of a machine: of `memory_gib`, else of the largest size it is sold with. UsageProblem if it has neither."""
    size = memory_size_gib(machine, memory_gib)
    limit = gpu_limit_bytes(MachineKind(machine.kind), size * GIB)
    cards = f"{machine.cards} × " if machine.cards > 1 else ""
    return Budget((limit,) * machine.cards, f"{machine.name}, {cards}{size:g} GiB", "catalogue")


def memory_size_gib(machine: Machine, memory_gib: float | None = None) -> float:
    """The size meant, of each card: the one given, else the largest that is sold."""
    if memory_gib is not None:
        return memory_gib
    if not machine.memory_gib:
        raise UsageProblem(f"{machine.name} has memory as fitted", hint="say how much: --memory GIB")
    return max(machine.memory_gib)


def decode_speed(needs: ModelNeeds, machine: Machine, depth_tokens: int, kv_type: str = "f16") -> Interval:
    """Tokens per second of one stream at a depth."""
    return decode_tps_interval(
        machine.bandwidth_gb_s,
        needs.weights.mid * needs.active_share,
        needs.kv_bytes(depth_tokens, 1, kv_type),
        moe=needs.mixture,
        backend=backend_of(machine),
        latent_attention=needs.latent_attention,
    )


def backend_of(machine: Machine) -> Backend:
    """What runs a model there."""
    kind = MachineKind(machine.kind)
    if kind is MachineKind.MACOS_UNIFIED:
        return Backend.METAL
    if kind in (MachineKind.STRIX_HALO_LINUX, MachineKind.STRIX_HALO_WINDOWS):
        return Backend.STRIX_HALO
    if kind is MachineKind.CPU:
        return Backend.CPU
    words = machine.name.lower()
    return next((b for word, b in _BACKENDS.items() if word in words), Backend.UNKNOWN)


_BACKENDS = {"nvidia": Backend.CUDA, "radeon": Backend.RADEON, "instinct": Backend.RADEON, "rx 7900": Backend.RADEON}


def _weights(model: ModelSpec, quant: str | None) -> tuple[Interval, str]:
    quant = quant or (model.weights[0].quant if model.weights else _USUAL_QUANT)
    file = model.file(quant)
    if file is not None:
        if file.size_bytes is not None:
            return Interval.exact(float(file.size_bytes)), file.quant
        step = 1.0 if file.listed_gb >= _LISTED_FROM_GB else 0.1
        low = file.listed_gb * GB
        return Interval(low, low + step * GB / 2, low + step * GB, "estimated"), file.quant
    size = weights_bytes(model.total_parameters, quant)
    if size is None:
        known = ", ".join(each.quant for each in model.weights) or "none"
        raise UsageProblem(f"{model.id}: no size for quantisation {quant!r}", hint=f"files known: {known}")
    return size, quant.upper()


def _even_geometry(per_token: float) -> KvGeometry:
    """Any shape with so many bytes per token at f16: half in keys, half in values."""
    return KvGeometry((AttentionLayers(1, 1, round(per_token / 4), round(per_token / 4)),))
