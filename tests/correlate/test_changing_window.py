"""A window that changes within a case: what the agent believes is held against the window in force at that moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures.generate.law import STRIX_HALO
from fixtures.generate.ollama_server import Ask, Served, Server
from fixtures.generate.repeats import BEGIN, HALO, LOG, V128K
from fixtures.generate.repeats_agents import WINDOW_TOKENS, openclaw
from fixtures.generate.stamps import local, plus
from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.correlate import correlate
from investigator.pipeline import builtin_rules, investigate

WIDE, NARROW = 131_072, 32_768
PROMPT, ANSWER = 40_012, 12
PATH = "/v1/chat/completions"
NARROW_LOAD = replace(V128K, window_tokens=NARROW, port=41999)


def asked(server: Server, clock: str) -> Served:
    return server.ask(Ask(local(20, clock), PATH, PROMPT, ANSWER, 4))


def restarted() -> tuple[str, list[Served]]:
    """The server is stopped and started again; both processes write to one file."""
    one, two = Server(STRIX_HALO, HALO, V128K), Server(STRIX_HALO, HALO, NARROW_LOAD)
    one.start(BEGIN, port=41870)
    first = asked(one, "08:40:02.118")
    two.start(local(20, "09:00:00.500"), port=41990)
    second = asked(two, "09:05:30.506")
    return one.text() + two.text(), [first, second]


def reloaded() -> tuple[str, list[Served]]:
    """The same process loads the model again, for a request with another num_ctx."""
    server = Server(STRIX_HALO, HALO, V128K)
    server.start(BEGIN, port=41870)
    first = asked(server, "08:40:02.118")
    server.load, server.loaded = NARROW_LOAD, False
    second = asked(server, "09:05:30.506")
    return server.text(), [first, second]


@pytest.fixture(scope="module", params=["restarted", "reloaded"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("changing")
    text, served = {"restarted": restarted, "reloaded": reloaded}[request.param]()
    good = [(each.arrival, each.end, PROMPT, ANSWER) for each in served]
    later = plus(served[-1].end, 60.0)
    files = openclaw(1200, "Request timed out.").files(good, [(later, plus(later, 5.0))])
    for path, content in {LOG: text, **files}.items():
        file = top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content.replace(f'"contextWindow": {WINDOW_TOKENS}', f'"contextWindow": {WIDE}'))
    return top


@pytest.fixture(scope="module")
def attempts(folder: Path) -> list[dict[str, Any]]:
    with Case(None) as case:
        ingest([folder], case)
        table = correlate(case.facts(), case.sources())["attempts"]
    return table.filter(pl.col("seen_by") == "both").sort("arrived_at").to_dicts()


def test_each_call_meets_the_window_of_its_moment(attempts: list[dict[str, Any]]) -> None:
    assert [row["window_tokens"] for row in attempts] == [WIDE, NARROW]
    assert [row["believed_window_tokens"] for row in attempts] == [WIDE, WIDE]


def test_only_the_later_prompt_was_cut(attempts: list[dict[str, Any]]) -> None:
    assert [row["asked_tokens"] for row in attempts] == [PROMPT, PROMPT]
    assert [row["cut_tokens"] for row in attempts] == [0, PROMPT - NARROW]
    assert [row["read_tokens"] for row in attempts] == [PROMPT, NARROW]


@pytest.mark.parametrize("folder", ["reloaded"], indirect=True)
def test_the_belief_is_wrong_from_then_on(folder: Path, attempts: list[dict[str, Any]]) -> None:
    rules = builtin_rules().only(["agent-believes-another-window"])
    found = [f for i in investigate([folder], rules=rules).incidents for f in i.findings]
    assert {subject for finding in found for subject in finding.subjects} == {attempts[1]["attempt_id"]}
