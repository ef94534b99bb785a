"""Foreign rules, evaluated in a child process with limits: whatever one of them does, the others still run.

The child sees a copy of the views its rules read, on a locked connection. A rule that takes too long or too much memory
ends as `error`; if the child itself dies, the rule it was at is named and a new child takes the rest.
"""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import duckdb
import msgspec

from investigator.casefile.derived import derived_tables
from investigator.rulebook import evaluate as evaluating
from investigator.rulebook import findings
from investigator.rulebook.compile import Compiled
from investigator.rulebook.evaluate import Evaluation, evaluate, failed_evaluation, joined
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sandbox_child import GRACE_S, Task


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one rule: seconds of computing; of the child: bytes of address space and seconds of CPU."""

    rule_s: float = 20.0
    memory_bytes: int = 4 * 2**30
    cpu_s: int = 300


def evaluate_safely(
    con: duckdb.DuckDBPyConnection, rules: RuleSet, own: Path, timer: Callable[[], float] | None = None
) -> tuple[Evaluation, RuleSet]:
    """Evaluate rules, those outside of the folder `own` in a child process.

    The set that comes back is without the foreign rules that failed: they take no part in what-ifs either.
    """
    ours, foreign = rules.split(own)
    if not foreign.rules:
        return evaluate(con, rules, timer), rules
    there = evaluate_foreign(con, foreign)
    failed = {result.rule for result in there.results if result.outcome == "error"}
    good = replace(rules, rules=tuple(rule for rule in rules.rules if rule.id not in failed))
    return joined([evaluate(con, ours, timer), there], rules), good


def evaluate_foreign(con: duckdb.DuckDBPyConnection, rules: RuleSet, limits: Limits | None = None) -> Evaluation:
    """Evaluate rules that are not our own. A rule that has to be stopped is an `error` that says why."""
    limits = limits or Limits()
    waiting = list(rules.rules)
    found: list[Evaluation] = []
    with tempfile.TemporaryDirectory(prefix="investigator-") as folder:
        copy = Path(folder) / "case.duckdb"
        _copy_views(con, rules.rules, copy)
        while waiting:
            answers, at, again = _ask(copy, waiting, limits)
            found += answers.values()
            waiting = [rule for rule in waiting if rule.id not in answers]
            if waiting and not again:
                # the child died: at a rule, or before it came to one
                lost = next((rule for rule in waiting if rule.id == at), waiting[0])
                found.append(failed_evaluation(RuleSet((lost,)), "stopped: it took too much memory or time"))
                waiting.remove(lost)
    return joined(found, rules)


def _copy_views(con: duckdb.DuckDBPyConnection, rules: Sequence[Compiled], path: Path) -> None:
    """The views that the rules read, and `operands`, as tables of a file of their own."""
    wanted = {view for rule in rules for view in rule.views} | {"operands"}
    con.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS foreign_")
    try:
        for name in derived_tables():
            if name in wanted:
                con.execute(f'CREATE TABLE foreign_.main."{name}" AS FROM "{name}"')
    finally:
        con.execute("DETACH foreign_")


def _ask(copy: Path, rules: Sequence[Compiled], limits: Limits) -> tuple[dict[str, Evaluation], str | None, bool]:
    """Answers by rule, the rule at which the child was last, and whether it wants a fresh one for the rest."""
    task = Task(str(copy), [rule.path for rule in rules], {rule.id: _params(rule) for rule in rules},
                limits.rule_s, limits.memory_bytes, limits.cpu_s)  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "investigator.rulebook.sandbox_child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert child.stdin is not None and child.stdout is not None
    answers: dict[str, Evaluation] = {}
    at: str | None = None
    again = False
    allowed_s = 60.0 + len(rules) * (10 * limits.rule_s + 2 * GRACE_S)
    clock = threading.Timer(allowed_s, child.kill)
    clock.start()
    try:
        child.stdin.write(msgspec.json.encode(task))
        child.stdin.close()
        for message in _messages(child.stdout):
            at, again = message[1], message[0] == "again"
            if message[0] == "end":
                answers[message[1]] = message[2]
    except BrokenPipeError:
        pass
    finally:
        clock.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
    return answers, at, again


def _params(rule: Compiled) -> dict[str, Any]:
    return dict(rule.params)


def _messages(out: IO[bytes]) -> Iterator[tuple[Any, ...]]:
    while True:
        head = out.read(8)
        if len(head) < 8:
            return
        size = int.from_bytes(head, "big")
        data = out.read(size)
        if len(data) < size:
            return
        yield _Reader(io.BytesIO(data)).load()


class _Reader(pickle.Unpickler):
    """Records of findings only: the child is not trusted with more."""

    def find_class(self, module: str, name: str) -> Any:
        own = {findings.__name__: findings, evaluating.__name__: evaluating}
        if module in own and name in _RECORDS:
            return getattr(own[module], name)
        if (module, name) == ("datetime", "datetime"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no record of a finding")


_RECORDS = frozenset(
    {"Evaluation", "Finding", "Step", "Operand", "EvidenceRef", "Remedy", "Said", "SubjectResult", "RuleResult"}
)
