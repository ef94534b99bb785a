"""Every rule that compares two numbers tells how near it came in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.pipeline import builtin_rules, prepare
from investigator.rulebook.evaluate import evaluate
from investigator.scan.misses import Miss
from investigator.scan.nearest import nearest_misses


@pytest.fixture(scope="module")
def misses(fixtures_dir: Path) -> dict[str, Miss]:
    rules = builtin_rules()
    with Case(None) as case:
        ingest([fixtures_dir / "logs" / "healthy-day"], case)
        prepare(case)
        found = nearest_misses(case, evaluate(case.connection, rules), rules)
    assert len({miss.rule for miss in found}) == len(found)
    return {miss.rule: miss for miss in found}


def test_a_load_against_its_limit(misses: dict[str, Miss]) -> None:
    slow, very = misses["load-slow"], misses["load-very-slow"]
    assert 0 < very.ratio < slow.ratio < 1
    assert slow.place == "server.log" and "the limit is 20 s" in slow.text


def test_each_is_a_share_of_its_limit(misses: dict[str, Miss]) -> None:
    assert misses and all(0 <= miss.ratio <= 1 and miss.text for miss in misses.values())
