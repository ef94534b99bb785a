"""Which rows are one finding, and which findings explain which."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from investigator.rulebook.causes import causal_edges, staying
from investigator.rulebook.findings import Finding
from investigator.rulebook.merge import groups, kept
from investigator.rulebook.model import CauseEdge, Merge

T0 = datetime(2026, 1, 1)


def row(subject: str, minutes: float | None, run: str | None = "r", size: float | None = 1) -> dict[str, Any]:
    at = None if minutes is None else T0 + timedelta(minutes=minutes)
    return {"subject": subject, "happened_at": at, "run": run, "size": size}


def merge(gap: str | None = "10m", keep: str = "first") -> Merge:
    return Merge.model_validate({"by": ["run"], "gap": gap, "keep": keep} if gap else {"by": ["run"], "keep": keep})


@pytest.mark.parametrize(
    ("rows", "gap", "expected"),
    [
        ([row("a", 0), row("b", 5)], "10m", ["ab"]),
        ([row("a", 0), row("b", 10)], "10m", ["ab"]),
        ([row("a", 0), row("b", 10.1)], "10m", ["a", "b"]),
        ([row("a", 0), row("b", 9), row("c", 18)], "10m", ["abc"]),
        ([row("c", 18), row("a", 0), row("b", 9)], "10m", ["abc"]),
        ([row("a", 0), row("b", 1, "s"), row("c", 2)], "10m", ["ac", "b"]),
        ([row("a", 0, None), row("b", 1, None)], "10m", ["a", "b"]),
        ([row("a", 0), row("b", 5000)], None, ["ab"]),
        ([row("a", None), row("b", None)], "10m", ["a", "b"]),
        ([row("a", None), row("b", None)], None, ["ab"]),
    ],
)
def test_groups(rows: list[dict[str, Any]], gap: str | None, expected: list[str]) -> None:
    assert ["".join(each["subject"] for each in group) for group in groups(rows, merge(gap))] == expected


@pytest.mark.parametrize(
    ("keep", "expected"), [("first", "a"), ("last", "c"), ("max(size)", "b"), ("min(size)", "a"), ("max(other)", "a")]
)
def test_kept(keep: str, expected: str) -> None:
    rows = [{**row("a", 0, size=1), "other": None}, {**row("b", 1, size=9), "other": None}]
    rows.append({**row("c", 2, size=None), "other": None})
    assert kept(rows, merge(keep=keep))["subject"] == expected


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 100)), max_size=20))
def test_merging_loses_and_doubles_nothing(items: list[tuple[str, int]]) -> None:
    rows = [row(str(number), minutes, run) for number, (run, minutes) in enumerate(items)]
    members = [each["subject"] for group in groups(rows, merge()) for each in group]
    assert sorted(members) == sorted(each["subject"] for each in rows)


def finding(rule: str, at: float | None, last: float | None = None, **keys: tuple[str, ...]) -> Finding:
    def time(minutes: float | None) -> datetime | None:
        return None if minutes is None else T0 + timedelta(minutes=minutes)

    return Finding(
        finding_id=rule, rule=rule.split("#", maxsplit=1)[0], rule_version=1, pack="p", kind="cause", cause=None, title="",
        severity="high", label="measured", subjects=("s",), keys=keys, happened_at=time(at),
        last_at=time(at if last is None else last), columns={}, steps=(), short="", long="", evidence=(), what_if={},
        remedies=(),
    )  # fmt: skip


def edge(rule: str, via: str = "run", within: str | None = None) -> CauseEdge:
    return CauseEdge.model_validate({"rule": rule, "via": [via], **({"within": within} if within else {})})


@pytest.mark.parametrize(
    ("cause", "effect", "declared", "joined"),
    [
        (finding("c", 0, run=("r",)), finding("e", 5, run=("r",)), edge("c"), True),
        (finding("c", 0, run=("q", "r")), finding("e", 5, run=("r", "t")), edge("c"), True),
        (finding("c", 0, run=("q",)), finding("e", 5, run=("r",)), edge("c"), False),
        (finding("c", 0), finding("e", 5), edge("c"), False),
        (finding("c", 9, run=("r",)), finding("e", 5, run=("r",)), edge("c"), False),
        (finding("c", 9, run=("r",)), finding("e", 5, 10, run=("r",)), edge("c"), True),
        (finding("c", 5, run=("r",)), finding("e", 5, run=("r",)), edge("c"), True),
        (finding("c", 0, run=("r",)), finding("e", 61, run=("r",)), edge("c", within="1h"), False),
        (finding("c", 0, 2, run=("r",)), finding("e", 61, run=("r",)), edge("c", within="1h"), True),
        (finding("c", None, run=("r",)), finding("e", 5, run=("r",)), edge("c"), True),
        (finding("c", None, run=("r",)), finding("e", 5, run=("r",)), edge("c", within="1h"), False),
        (finding("x", 0, run=("r",)), finding("e", 5, run=("r",)), edge("c"), False),
    ],
)
def test_edges(cause: Finding, effect: Finding, declared: CauseEdge, joined: bool) -> None:
    expected = ((cause.finding_id, effect.finding_id),) if joined else ()
    assert causal_edges([cause, effect], {"e": [declared]}) == expected


@pytest.mark.parametrize(
    ("held", "own", "joined"),
    [
        (("a", "b"), ("a", "b"), True),
        (("a",), ("a", "b"), True),
        (("a", "x", "y"), ("a", "b", "c"), False),
        ((), ("a",), False),
        (("a",), (), False),
    ],
)
def test_an_edge_may_ask_for_half_of_the_values(held: tuple[str, ...], own: tuple[str, ...], joined: bool) -> None:
    declared = CauseEdge.model_validate({"rule": "c", "via": ["held_up"], "share": 0.5})
    cause, effect = finding("c", 0, held_up=held), finding("e", 5, held_up=own)
    assert bool(causal_edges([cause, effect], {"e": [declared]})) == joined


def test_rules_whose_effects_stay() -> None:
    stays = CauseEdge.model_validate({"rule": "c", "via": ["run"], "stays": True})
    assert staying({"e": [stays, edge("d")], "f": [edge("c")]}) == {("c", "e")}


def test_edges_never_close_a_circle() -> None:
    findings = [finding("a", 0, run=("r",)), finding("b", 0, run=("r",)), finding("c", 0, run=("r",))]
    declared = {"a": [edge("c")], "b": [edge("a")], "c": [edge("b")]}
    assert causal_edges(findings, declared) == (("a", "b"), ("b", "c"))
    assert causal_edges(findings[::-1], declared) == (("a", "b"), ("b", "c"))


def test_only_the_findings_that_match_are_joined() -> None:
    findings = [finding("c#1", 0, run=("r",)), finding("c#2", 0, run=("q",)), finding("e#1", 1, run=("q",))]
    assert causal_edges(findings, {"e": [edge("c")]}) == (("c#2", "e#1"),)
