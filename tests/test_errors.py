from __future__ import annotations

import pytest

from investigator.errors import BusyProblem, DeliveryProblem, InputProblem, InvestigatorError, RuleProblem, UsageProblem
from investigator.exits import Exit


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvestigatorError("broken"), "broken"),
        (InvestigatorError("broken", hint="mend it"), "broken\n  → mend it"),
        (InputProblem("cannot be read", path="a/server.log"), "a/server.log: cannot be read"),
        (
            RuleProblem("unknown key", "did you mean `steps`?", "r.yaml", 7),
            "r.yaml:7: unknown key\n  → did you mean `steps`?",
        ),
        (RuleProblem("unknown key", path="r.yaml", line=7, column=3), "r.yaml:7:3: unknown key"),
        (RuleProblem("bad", line=2), "line 2: bad"),
        (
            RuleProblem("unknown key", path="r.yaml", line=7, column=3, source_line="\tastep: 1"),
            "r.yaml:7:3: unknown key\n  \tastep: 1\n  \t ^",
        ),
        (
            RuleProblem("ends too early", path="r.yaml", line=1, column=9, source_line="short"),
            "r.yaml:1:9: ends too early\n  short\n          ^",
        ),
    ],
)
def test_text(error: InvestigatorError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageProblem("x"), Exit.USAGE),
        (InputProblem("x"), Exit.INCOMPLETE),
        (DeliveryProblem("x"), Exit.UNDELIVERED),
        (BusyProblem("x"), Exit.BUSY),
    ],
)
def test_exit_code(error: InvestigatorError, code: Exit) -> None:
    assert error.exit_code is code
