"""Does it fit, and how long does it take: memory and times over context sizes, and the first limit that breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from investigator.capacity import KV_TYPE_BYTES, Interval, Verdict
from investigator.capacity.memory import FitVerdict
from investigator.catalog import Machine
from investigator.errors import UsageProblem
from investigator.planning.needs import Budget, ModelNeeds, Origin, decode_speed
from investigator.planning.speed import Basis, Confidence, ReadingSpeed

LimitKind: TypeAlias = Literal["model_window", "memory", "timeout"]

#: Sizes shown when none is asked for, up to the model's own window.
CONTEXTS = (4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576)
#: Engines round a window up to this; a window that fits is searched in such steps.
STEP_TOKENS = 256
#: Where the model's own window is not known the search ends here.
_UPTO_TOKENS = 2**22


@dataclass(frozen=True, slots=True)
class FitRow:
    """One window. Bytes and seconds are intervals; `read_s`: the whole window read cold; decoding at that depth."""

    window_tokens: int
    beyond_native: bool
    weights_bytes: Interval
    kv_bytes: float
    compute_bytes: Interval
    total_bytes: Interval
    limit_bytes: Interval | None
    margin_bytes: Interval | None
    verdict: FitVerdict | None
    read_s: Interval | None
    read_confidence: Confidence
    read_verdict: Verdict | None
    decode_tps: Interval | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and the largest window, or prompt, that surely stays within; `might_tokens`: that may."""

    kind: LimitKind
    tokens: int
    might_tokens: int
    why: str


@dataclass(frozen=True, slots=True)
class FitTable:
    """All rows and the limits, the tightest first."""

    model: str
    model_id: str | None
    quant: str | None
    kv_type: str
    slots: int
    machine: str | None
    machine_id: str | None
    origin: Origin
    speed_basis: Basis | None
    speed_note: str | None
    timeout_s: float | None
    rows: tuple[FitRow, ...]
    limits: tuple[Limit, ...]
    notes: tuple[str, ...]

    @property
    def first_limit(self) -> Limit | None:
        """What breaks first when the window grows."""
        return self.limits[0] if self.limits else None

    @property
    def largest_fitting_tokens(self) -> int | None:
        """The largest window that surely fits memory and model; None where neither limit is known."""
        known = [limit.tokens for limit in self.limits if limit.kind != "timeout"]
        return min(known) if known else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked: cache type, slots (Ollama's parallel), and the client's limit in seconds, if any."""

    kv_type: str = "f16"
    slots: int = 1
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        if self.kv_type not in KV_TYPE_BYTES or self.kv_type == "none":
            known = ", ".join(name for name in KV_TYPE_BYTES if name != "none")
            raise UsageProblem(f"no cache type is called {self.kv_type!r}", hint=f"one of: {known}")
        if self.slots < 1:
            raise UsageProblem("a server has at least one slot", hint="--parallel 1")


def fit_table(
    needs: ModelNeeds,
    budget: Budget | None = None,
    machine: Machine | None = None,
    speed: ReadingSpeed | None = None,
    plan: Plan | None = None,
    contexts: Sequence[int] = (),
) -> FitTable:
    """Memory and times of a model over windows.

    `budget` None: no limit is known, only needs are told. `machine`: for the speed of decoding. `contexts` empty: the
    usual sizes up to the model's own window, and that.
    """
    plan = plan or Plan()
    native = needs.native_window_tokens
    sizes = sorted(set(contexts)) or _usual(native)
    if sizes[0] < 1:
        raise UsageProblem("a window has at least one token", hint="--ctx 32768")
    rows = tuple(_row(needs, budget, machine, speed, plan, size) for size in sizes)
    limits = [
        each
        for each in (_model_limit(needs), _memory_limit(needs, budget, plan), _timeout_limit(speed, plan, native))
        if each is not None
    ]
    return FitTable(
        model=needs.name,
        model_id=needs.model_id,
        quant=needs.quant,
        kv_type=plan.kv_type,
        slots=plan.slots,
        machine=budget.basis if budget else machine.name if machine else None,
        machine_id=machine.id if machine else None,
        origin=needs.origin,
        speed_basis=speed.basis if speed else None,
        speed_note=speed.note if speed else None,
        timeout_s=plan.timeout_s,
        rows=rows,
        limits=tuple(sorted(limits, key=lambda limit: (limit.tokens, limit.kind))),
        notes=_notes(needs, budget, speed),
    )


def largest_window_tokens(fits: Callable[[int], bool], upto_tokens: int) -> int:
    """The largest multiple of 256 (or `upto_tokens` itself) that `fits`; 0 if none does. `fits` must be monotone."""
    if fits(upto_tokens):
        return upto_tokens
    low, high = 0, -(-upto_tokens // STEP_TOKENS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle * STEP_TOKENS) else (low, middle)
    return low * STEP_TOKENS


def _usual(native: int | None) -> list[int]:
    return [size for size in CONTEXTS if native is None or size < native] + ([native] if native else [])


def _row(
    needs: ModelNeeds,
    budget: Budget | None,
    machine: Machine | None,
    speed: ReadingSpeed | None,
    plan: Plan,
    window: int,
) -> FitRow:
    cache, buffers = needs.kv_bytes(window, plan.slots, plan.kv_type), needs.compute_bytes(window, plan.slots)
    fit = budget.judge(needs, window, plan.slots, plan.kv_type) if budget else None
    read = speed.predict(window) if speed else None
    native = needs.native_window_tokens
    return FitRow(
        window_tokens=window,
        beyond_native=native is not None and window > native,
        weights_bytes=needs.weights,
        kv_bytes=cache,
        compute_bytes=buffers,
        total_bytes=needs.weights + cache + buffers,
        limit_bytes=fit.limit_bytes if fit else None,
        margin_bytes=fit.margin_bytes if fit else None,
        verdict=fit.verdict if fit else None,
        read_s=read,
        read_confidence=speed.confidence(window) if speed else "none",
        read_verdict=read.against(plan.timeout_s) if read and plan.timeout_s is not None else None,
        decode_tps=decode_speed(needs, machine, window, plan.kv_type) if machine else None,
    )


def _model_limit(needs: ModelNeeds) -> Limit | None:
    native = needs.native_window_tokens
    return None if native is None else Limit("model_window", native, native, "the model's own window")


def _memory_limit(needs: ModelNeeds, budget: Budget | None, plan: Plan) -> Limit | None:
    """None also where the model's own window fits: then memory is no limit."""
    if budget is None:
        return None
    upto = needs.native_window_tokens or _UPTO_TOKENS

    def largest(*verdicts: FitVerdict) -> int:
        return largest_window_tokens(
            lambda window: budget.judge(needs, window, plan.slots, plan.kv_type).verdict in verdicts, upto
        )

    sure = largest("fits")
    if sure >= upto:
        return None
    return Limit("memory", sure, largest("fits", "might"), f"memory of {budget.basis}")


def _timeout_limit(speed: ReadingSpeed | None, plan: Plan, native: int | None) -> Limit | None:
    """Largest cold prompt that is read in time; None where the whole window surely is."""
    if speed is None or plan.timeout_s is None:
        return None
    upto, limit = native or _UPTO_TOKENS, plan.timeout_s
    sure = largest_window_tokens(lambda prompt: speed.predict(prompt).high <= limit, upto)
    if sure >= upto:
        return None
    might = largest_window_tokens(lambda prompt: speed.predict(prompt).low <= limit, upto)
    return Limit("timeout", sure, might, f"a cold prompt read within {limit:g} s")


def _notes(needs: ModelNeeds, budget: Budget | None, speed: ReadingSpeed | None) -> tuple[str, ...]:
    notes = []
    if needs.kv_lower_bound:
        notes.append("the size of the recurrent state is not known: cache and total are lower bounds")
    if budget is not None and len(budget.limits) > 1:
        notes.append("several cards are not one pool: layers and their cache lie on one card, buffers on each")
    if budget is not None and speed is None:
        notes.append("no measurement tells how fast this machine reads prompts")
    notes.append("flash attention on, micro-batch of 512 tokens; what else the machine runs is not counted")
    return tuple(notes)
