"""Only what a replayed world proves is given to paste."""

from __future__ import annotations

from investigator.diagnosis.fixes import fixes
from investigator.diagnosis.model import Change, World
from investigator.rulebook.findings import Remedy
from tests.diagnosis.make import finding


def world(*changes: Change, minimal: bool = True) -> World:
    return World(changes, "yes" if minimal else "no", 2, 0, 2, minimal, 1.0, "", False)


LONGER = Change("timeout_s", 300.0, 900.0, "s", "the limit raised from 300 s to 900 s")
PROVED = Remedy(
    "raise it to 900", "~/.openclaw/openclaw.json", "safe_wait", "timeoutSeconds", 900, '{"timeoutSeconds": 900}'
)
REFUTED = Remedy("raise it to 420", "client", "flat", "timeoutSeconds", 420, "420")
ADVICE = Remedy("use a newer release", "client", None)


def test_the_remedy_that_carries_out_the_change_comes_with_its_proof() -> None:
    (fix,) = fixes([finding("f", "a", remedies=(PROVED, REFUTED))], [world(LONGER)])
    assert (fix.title, fix.language, fix.text) == ("raise it to 900", "json", '{"timeoutSeconds": 900}')
    assert fix.proves == "the limit raised from 300 s to 900 s: saves 2 of 2 calls"


def test_advice_without_a_number_stays() -> None:
    assert [fix.title for fix in fixes([finding("f", "a", remedies=(ADVICE,))], [world(LONGER)])] == [
        "use a newer release"
    ]


def test_without_a_saving_world_the_rules_own_proof_stands() -> None:
    found = fixes([finding("f", "a", remedies=(PROVED, ADVICE))], [world(LONGER, minimal=False)])
    assert [fix.proves for fix in found] == ["proved by the rule's own arithmetic", ""]


def test_the_same_advice_of_two_causes_is_given_once() -> None:
    twice = [finding("f", "a", remedies=(PROVED,)), finding("g", "a", remedies=(PROVED,))]
    assert len(fixes(twice, [world(LONGER)])) == 1
