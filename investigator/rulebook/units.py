"""Units of steps and verdicts: tokens ÷ tokens/s must be s, and seconds are not compared with tokens.

A column without a unit, a text, and a bare number are unknown and fit everywhere. Needs pint, which only `rules lint`
loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from investigator.capacity.registry import FUNCTIONS
from investigator.rulebook.check import Issue
from investigator.rulebook.compile import Compiled
from investigator.rulebook.sqltree import Tree, position
from investigator.rulebook.yamlpos import Path

#: What pint calls the units of rules and of the capacity functions.
_NAMES: Mapping[str, str] = {
    "tokens": "tokens", "s": "s", "bytes": "bytes", "GiB": "GiB", "tps": "tokens/s", "tokens/s": "tokens/s",
    "s/tok2": "s/tokens**2", "s/token²": "s/tokens**2", "bytes/token": "bytes/tokens",
    "bytes/tok": "bytes/tokens", "s/GiB": "s/GiB", "ratio": "", "count": "",
}  # fmt: skip
_SAY: Mapping[str, str] = {"token": "tokens", "s": "s", "byte": "bytes", "": "a plain number"}
_SAME = frozenset(
    {"coalesce", "ifnull", "nullif", "greatest", "least", "abs", "round", "ceil", "ceiling", "floor", "trunc", "if"}
)
_SECONDS = frozenset({"epoch"})
_SIDES = ("left", "right", "input", "lower", "upper")
_ALL_SIDES = frozenset({"COMPARISON", "BETWEEN"})

#: A pint unit, or None for unknown.
Unit: TypeAlias = Any


@cache
def _registry() -> Any:
    from pint import UnitRegistry

    registry: Any = UnitRegistry(None)
    for line in ("s = [time]", "token = [token] = token = tokens", "byte = [information] = byte = bytes",
                 "GiB = 1073741824 * byte"):  # fmt: skip
        registry.define(line)
    return registry


def unit_issues(compiled: Compiled) -> Iterator[Issue]:
    """Everything in a rule's steps and verdict whose units do not fit."""
    known: dict[str, Unit] = {name: unit_of(said) for name, said in compiled.units.items()}
    for number, step in enumerate(compiled.rule.steps):
        path: Path = ("steps", number, "expr")
        found = _Checker(known, path)
        unit = found.of(compiled.steps[step.name].tree)
        yield from found.issues
        said = unit_of(step.unit)
        if not found.issues and unit is not None and said is not None and not _alike(unit, said):
            yield Issue(
                ("steps", number, "unit"),
                f"`{step.name}` is in {say_unit(unit)}, not in {say_unit(said)}",
                "correct the unit or the sum",
            )
    checker = _Checker(known, ("verdict",))
    checker.of(compiled.verdict.tree)
    yield from checker.issues


def unit_of(name: str | None) -> Unit:
    """The unit of a rule's `unit`; None for none."""
    text = _NAMES.get(name or "-")
    return None if text is None else _registry().parse_units(text)


def say_unit(unit: Unit) -> str:
    """A unit for people."""
    text = f"{unit:~C}" if str(unit) not in {"dimensionless", ""} else ""
    return _SAY.get(text, text.replace("token", "tokens").replace("tokens**2", "tokens²"))


def _alike(one: Unit, other: Unit) -> bool:
    """The same dimension and size: bytes are not GiB."""
    registry = _registry()
    same: bool = one.dimensionality == other.dimensionality
    return same and abs(registry.Quantity(1, one).to(other).magnitude - 1) < 1e-9


@dataclass(slots=True)
class _Checker:
    """Walks one expression; `issues` collects what does not fit."""

    known: Mapping[str, Unit]
    path: Path
    issues: list[Issue] = field(default_factory=list)

    def of(self, tree: Tree) -> Unit:
        """The unit of an expression, None when it is not known or has none."""
        kind = tree.get("class")
        if kind == "COLUMN_REF":
            return self.known.get(tree["column_names"][-1])
        if kind == "PARAMETER":
            return self.known.get(tree["identifier"])
        if kind == "CAST":
            return self.of(tree["child"])
        if kind == "FUNCTION":
            return self._function(tree)
        if kind in _ALL_SIDES:
            return self._same(tree, [tree[side] for side in _SIDES if side in tree], "compared", False)
        if kind == "CASE":
            return self._case(tree)
        if tree.get("type") == "OPERATOR_COALESCE":
            return self._same(tree, tree["children"], "mixed", True)
        for child in _children(tree):
            self.of(child)
        return None

    def _case(self, tree: Tree) -> Unit:
        checks = tree.get("case_checks", [])
        for check in checks:
            self.of(check["when_expr"])
        return self._same(tree, [*(check["then_expr"] for check in checks), tree["else_expr"]], "mixed", True)

    def _function(self, tree: Tree) -> Unit:
        name, parts = tree["function_name"], [each["expression"] for each in tree["arguments"]]
        if name in {"+", "-"}:
            return self._same(tree, parts, "added" if name == "+" else "subtracted", True)
        if name in {"*", "/", "//"} and len(parts) == 2:
            return self._product(parts[0], parts[1], name)
        if name == "gib" and parts:
            return self._expected(tree, name, parts, ["bytes"], "GiB")
        if name in FUNCTIONS:
            function = FUNCTIONS[name]
            return self._expected(tree, name, parts, [each.unit for each in function.parameters], function.unit)
        if name in _SAME:
            alike = parts[1:] if name == "if" else parts[:1] if name == "round" else parts
            return self._same(tree, alike, "mixed", True)
        for part in parts:
            self.of(part)
        return unit_of("s") if name in _SECONDS else None

    def _product(self, left: Tree, right: Tree, name: str) -> Unit:
        units = [self.of(part) if not _is_number(part) else unit_of("ratio") for part in (left, right)]
        if units[0] is None or units[1] is None:
            return None
        return units[0] * units[1] if name == "*" else units[0] / units[1]

    def _expected(self, tree: Tree, name: str, parts: list[Tree], wanted: list[str], result: str) -> Unit:
        for number, (part, said) in enumerate(zip(parts, wanted, strict=False), 1):
            unit, need = self.of(part), unit_of(said)
            if unit is not None and need is not None and not _alike(unit, need):
                self._say(part, f"{name}() takes {say_unit(need)} in place {number}, this is {say_unit(unit)}")
        return unit_of(result)

    def _same(self, tree: Tree, parts: list[Tree], verb: str, passed_on: bool) -> Unit:
        """All parts must be alike; the first known unit is the result."""
        first: Unit = None
        for part in parts:
            unit = self.of(part)
            if unit is None or _is_number(part):
                continue
            if first is None:
                first = unit
            elif not _alike(first, unit):
                self._say(tree, f"{say_unit(first)} and {say_unit(unit)} are {verb}")
                return None
        return first if passed_on else None

    def _say(self, tree: Tree, message: str) -> None:
        self.issues.append(Issue(self.path, message, "convert one of them, or correct its unit", position(tree)))


def _is_number(tree: Tree) -> bool:
    return tree.get("class") == "CONSTANT"


def _children(tree: Tree) -> Iterator[Tree]:
    for value in tree.values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict):
                yield child
