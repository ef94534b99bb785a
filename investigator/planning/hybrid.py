"""Which calls this machine serves, which need a larger window, and which are better sent to a cloud model.

From the case's own calls: what was answered stays here; a failed call goes by its prompt against window and limit. What
is marked private never counts as movable, nor does a call whose owner is not known once anything is marked.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

import duckdb

from investigator.casefile.frames import read_frame
from investigator.catalog import CloudModel
from investigator.planning.catalogue import Catalogue, Privacy
from investigator.planning.fit import largest_window_tokens
from investigator.planning.measured import CaseFacts, CaseModel
from investigator.planning.queries import query

Place: TypeAlias = Literal["here", "larger_window", "cloud", "private", "other_reason", "unknown"]

#: Of a call that never answered: this many tokens, where the case has no answered call to take the median of.
_USUAL_OUTPUT_TOKENS = 500
_UPTO_TOKENS = 2**22


@dataclass(frozen=True, slots=True)
class HybridShare:
    """Calls that belong to one place. `failed`: how many of them failed as it was."""

    place: Place
    calls: int
    share: float
    failed: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class CloudOption:
    """The movable calls on one cloud model. `cost_usd` None: no price is known; `failed_after`: of all calls."""

    model_id: str
    name: str
    window_tokens: int
    window_verified: bool
    calls_that_fit: int
    calls_too_long: int
    cost_usd: float | None
    price_date: str
    price_verified: bool
    failed_after: int
    note: str | None


@dataclass(frozen=True, slots=True)
class Hybrid:
    """`threshold_tokens`: the longest cold prompt that this machine surely reads in time and window, if known."""

    calls: int
    failed_before: int
    failed_with_larger_window: int
    lost_s: float
    threshold_tokens: int | None
    output_tokens_assumed: int
    shares: tuple[HybridShare, ...]
    clouds: tuple[CloudOption, ...]
    notes: tuple[str, ...]

    def share(self, place: Place) -> HybridShare | None:
        return next((each for each in self.shares if each.place == place), None)


@dataclass(frozen=True, slots=True)
class _Placed:
    place: Place
    tokens: int
    output_tokens: int
    failed: bool


def hybrid_split(con: duckdb.DuckDBPyConnection, catalogue: Catalogue, case: CaseFacts) -> Hybrid:
    """Split the calls of an analysed case. Reads only."""
    rows = read_frame(con, query("calls")).to_dicts()
    known = [int(row["output_tokens"]) for row in rows if row["output_tokens"] and not row["failed"]]
    output = round(statistics.median(known)) if known else _USUAL_OUTPUT_TOKENS
    models = {model.key: model for model in case.models}
    placed = [_placed(row, models.get(str(row["model_key"])), catalogue.privacy, output) for row in rows]
    failed = sum(each.failed for each in placed)
    larger = sum(each.failed and each.place == "larger_window" for each in placed)
    movable = [each for each in placed if each.place == "cloud"]
    return Hybrid(
        calls=len(placed),
        failed_before=failed,
        failed_with_larger_window=failed - larger,
        lost_s=sum(float(row["lost_s"]) for row in rows if row["failed"] and row["lost_s"] is not None),
        threshold_tokens=_threshold(rows, models),
        output_tokens_assumed=output,
        shares=tuple(_shares(placed)),
        clouds=tuple(_cloud(model, movable, failed) for model in catalogue.cloud_models),
        notes=tuple(_notes(placed, catalogue.privacy)),
    )


def is_private(row: Mapping[str, Any], privacy: Privacy) -> bool:
    """Whether a call must stay. Once anything is marked, a call without an agent's side stays: nobody knows whose."""
    if privacy == Privacy():
        return False
    if row["agent"] is None and row["session_id"] is None:
        return True
    sessions = [str(each) for each in (row["session_id"], row["run_id"]) if each is not None]
    paths = [str(each).rsplit(":", 1)[0] for each in row["evidence"] or ()]
    agents = [str(row["agent"])] if row["agent"] is not None else []
    pairs = ((privacy.sessions, sessions), (privacy.paths, paths), (privacy.agents, agents))
    return any(fnmatchcase(name, glob) for globs, names in pairs for glob in globs for name in names)


def _placed(row: Mapping[str, Any], model: CaseModel | None, privacy: Privacy, output: int) -> _Placed:
    tokens = row["asked_tokens"]
    failed = bool(row["failed"])
    place = _place(row, model)
    if place == "cloud" and is_private(row, privacy):
        place = "private"
    return _Placed(place, int(tokens or 0), int(row["output_tokens"] or output), failed)


def _place(row: Mapping[str, Any], model: CaseModel | None) -> Place:
    if not row["failed"]:
        return "here"
    asked, window = row["asked_tokens"], row["window_tokens"]
    if asked is None or window is None:
        return "unknown"
    in_time = _in_time(row, model)
    if in_time is None:
        return "unknown"
    if asked <= window:
        return "other_reason" if in_time else "cloud"
    fits = _window_fits(row, model)
    if in_time and fits is None:
        return "unknown"
    return "larger_window" if in_time and fits else "cloud"


def _in_time(row: Mapping[str, Any], model: CaseModel | None) -> bool | None:
    """Whether the whole prompt is surely read within the limit; None where that is not known."""
    if row["timeout_s"] is None:
        return True
    speed = model.speed() if model else None
    if speed is None:
        return None
    cached = int(row["cached_tokens"])
    read = speed.predict(max(int(row["asked_tokens"]) - cached, 0), cached)
    return read.high <= float(row["timeout_s"])


def _window_fits(row: Mapping[str, Any], model: CaseModel | None) -> bool | None:
    """Whether the model's own window holds the prompt, and this machine's memory that window; None: not known."""
    native = row["native_window_tokens"]
    if native is not None and row["asked_tokens"] > native:
        return False
    needs, budget = (model.needs(), model.budget()) if model else (None, None)
    if native is None or needs is None or budget is None:
        return None
    return budget.judge(needs, int(native), int(row["slots"] or 1), row["kv_type"] or "f16").verdict == "fits"


def _threshold(rows: Sequence[Mapping[str, Any]], models: Mapping[str, CaseModel]) -> int | None:
    """By the model with the most calls whose limit is known."""
    limited = [row for row in rows if row["timeout_s"] is not None and str(row["model_key"]) in models]
    if not limited:
        return None
    keys = [str(row["model_key"]) for row in limited]
    key = max(sorted(set(keys)), key=keys.count)
    speed = models[key].speed()
    own = [row for row in limited if str(row["model_key"]) == key]
    timeout = min(float(row["timeout_s"]) for row in own)
    windows = [int(row["window_tokens"]) for row in own if row["window_tokens"] is not None]
    if speed is None:
        return None
    upto = min(windows, default=_UPTO_TOKENS)
    return largest_window_tokens(lambda tokens: speed.predict(tokens).high <= timeout, upto)


def _shares(placed: Sequence[_Placed]) -> Iterator[HybridShare]:
    places: tuple[Place, ...] = ("here", "larger_window", "cloud", "private", "other_reason", "unknown")
    for place in places:
        mine = [each for each in placed if each.place == place]
        if mine:
            tokens = sum(each.tokens for each in mine)
            yield HybridShare(place, len(mine), len(mine) / len(placed), sum(e.failed for e in mine), tokens)


def _cloud(model: CloudModel, movable: Sequence[_Placed], failed: int) -> CloudOption:
    fit = [each for each in movable if each.tokens + each.output_tokens <= model.window_tokens]
    costs = [model.cost_usd(each.tokens, each.output_tokens) for each in fit]
    known = [cost for cost in costs if cost is not None]
    return CloudOption(
        model_id=model.id,
        name=model.name,
        window_tokens=model.window_tokens,
        window_verified=model.window_verified,
        calls_that_fit=len(fit),
        calls_too_long=len(movable) - len(fit),
        cost_usd=sum(known) if len(known) == len(costs) and model.price is not None else None,
        price_date=str(model.date),
        price_verified=model.price_verified,
        failed_after=failed - sum(each.failed for each in fit),
        note=model.note,
    )


def _notes(placed: Sequence[_Placed], privacy: Privacy) -> Iterator[str]:
    yield "cost: list price of each call without any cached input; another model counts tokens another way"
    if any(each.place == "other_reason" for each in placed):
        yield "some failed for another reason than size or time: moving them is no remedy"
    if privacy == Privacy():
        yield "nothing is marked private: mark paths, sessions or agents in [private] of the configuration"
