"""A step's expression with the numbers put in: `146,760 tokens ÷ 400 tokens/s`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from investigator.rulebook.findings import Value
from investigator.rulebook.quantity import UNKNOWN, plain, say_exact
from investigator.rulebook.sqltree import Tree

_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷", "//": "÷", "%": "mod", "**": "^", "^": "^"}
_RANK = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "**": 3, "^": 3}
_COMPARE = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "≠",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": "≥",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "≤",
}
_TOP = 9


@dataclass(frozen=True, slots=True)
class Shower:
    """Renders expression trees with the values and units of one row."""

    values: Mapping[str, Value]
    units: Mapping[str, str | None]

    def show(self, tree: Tree) -> str:
        """The expression as a person would write the sum."""
        return self._show(tree)[0]

    def _show(self, tree: Tree) -> tuple[str, int]:
        shower = _BY_CLASS.get(tree.get("class", ""))
        return shower(self, tree) if shower is not None else ("…", _TOP)

    def _column(self, tree: Tree) -> tuple[str, int]:
        name = tree["column_names"][-1]
        return say_exact(self.values.get(name), self.units.get(name)), _TOP

    def _parameter(self, tree: Tree) -> tuple[str, int]:
        name = tree["identifier"]
        return say_exact(self.values.get(name), self.units.get(name)), _TOP

    def _constant(self, tree: Tree) -> tuple[str, int]:
        literal = tree["literal"]
        if literal["kind"] in {"INTEGER", "NUMERIC"}:
            return plain(float(literal["text"])), _TOP
        return (UNKNOWN if literal["kind"] == "NULL_LITERAL" else str(literal["text"])), _TOP

    def _function(self, tree: Tree) -> tuple[str, int]:
        name, parts = tree["function_name"], [each["expression"] for each in tree["arguments"]]
        if name in _SIGNS and len(parts) == 2:
            return self._operation(name, parts[0], parts[1])
        if name == "-" and len(parts) == 1:
            return f"−{self._wrapped(parts[0], _TOP)}", _TOP
        if name in {"coalesce", "ifnull"}:
            return self._first_known(parts)
        if name == "gib" and len(parts) == 1:
            return self._show(parts[0])
        if name == "prefill_s" and len(parts) == 4:
            return self._prefill(parts)
        if name == "kv_bytes_at" and len(parts) == 4:
            return self._kv(parts)
        if name == "nullif":
            return self._show(parts[0])
        name = {"least": "min", "greatest": "max"}.get(name, name)
        return f"{name}({', '.join(self.show(part) for part in parts)})", _TOP

    def _prefill(self, parts: list[Tree]) -> tuple[str, int]:
        """n ÷ r0 + c × n² for a cold prompt; with the depth d, c × ((d + n)² − d²)."""
        read, cached, rate, slowing = (self._wrapped(part, _TOP) for part in parts)
        if cached.split(" ")[0] == "0":
            return f"{read} ÷ {rate} + {slowing} × ({read})²", 1
        return f"{read} ÷ {rate} + {slowing} × (({cached} + {read})² − ({cached})²)", 1

    def _kv(self, parts: list[Tree]) -> tuple[str, int]:
        """window × slots × bytes of a token; another type than f16 as a share of it."""
        window, slots, of_token = (self._wrapped(part, 2) for part in parts[:3])
        kv_type = self.show(parts[3])
        share = "" if kv_type == "f16" else f" × {kv_type} ÷ f16"
        return f"{window} × {slots} × {of_token}{share}", 2

    def _operation(self, name: str, left: Tree, right: Tree) -> tuple[str, int]:
        rank = _RANK[name]
        if name in {"+", "-"} and self._stands_for_unknown(right):
            return self._show(left)
        # a − (b − c) and a ÷ (b × c) need their brackets, a + (b + c) does not
        right_rank = rank if name in {"+", "*"} else rank + 1
        return f"{self._wrapped(left, rank)} {_SIGNS[name]} {self._wrapped(right, right_rank)}", rank

    def _stands_for_unknown(self, tree: Tree) -> bool:
        """A nought that is taken because nothing is known: no number to add, the operands below say so."""
        name, parts = tree.get("function_name"), tree.get("arguments") or tree.get("children") or []
        if name not in {"coalesce", "ifnull"} and tree.get("type") != "OPERATOR_COALESCE":
            return False
        shown = [self.show(part.get("expression", part)) for part in parts]
        return len(shown) > 1 and set(shown[:-1]) == {UNKNOWN} and shown[-1] == "0"

    def _wrapped(self, tree: Tree, rank: int) -> str:
        text, own = self._show(tree)
        return text if own >= rank else f"({text})"

    def _first_known(self, parts: list[Tree]) -> tuple[str, int]:
        for part in parts:
            text, rank = self._show(part)
            if text != UNKNOWN:
                return text, rank
        return UNKNOWN, _TOP

    def _comparison(self, tree: Tree) -> tuple[str, int]:
        sign = _COMPARE.get(tree["type"], "?")
        return f"{self._wrapped(tree['left'], 1)} {sign} {self._wrapped(tree['right'], 1)}", 0

    def _conjunction(self, tree: Tree) -> tuple[str, int]:
        word = " and " if tree["type"] == "CONJUNCTION_AND" else " or "
        return word.join(self._wrapped(child, 0) for child in tree["children"]), -1

    def _between(self, tree: Tree) -> tuple[str, int]:
        return f"{self.show(tree['input'])} between {self.show(tree['lower'])} and {self.show(tree['upper'])}", 0

    def _cast(self, tree: Tree) -> tuple[str, int]:
        return self._show(tree["child"])

    def _case(self, tree: Tree) -> tuple[str, int]:
        parts = [
            f"if {self.show(check['when_expr'])}: {self.show(check['then_expr'])}" for check in tree["case_checks"]
        ]
        return f"{', '.join(parts)}, else {self.show(tree['else_expr'])}", -2

    def _operator(self, tree: Tree) -> tuple[str, int]:
        parts = [self.show(child) for child in tree["children"]]
        match tree["type"]:
            case "OPERATOR_NOT":
                return f"not {parts[0]}", 0
            case "OPERATOR_IS_NULL":
                return f"{parts[0]} is unknown", 0
            case "OPERATOR_IS_NOT_NULL":
                return f"{parts[0]} is known", 0
            case "OPERATOR_COALESCE":
                return self._first_known(tree["children"])
            case "COMPARE_IN":
                return f"{parts[0]} is one of {', '.join(parts[1:])}", 0
        return ", ".join(parts), 0


_BY_CLASS: Mapping[str, Callable[[Shower, Tree], tuple[str, int]]] = {
    "COLUMN_REF": Shower._column,
    "PARAMETER": Shower._parameter,
    "CONSTANT": Shower._constant,
    "FUNCTION": Shower._function,
    "COMPARISON": Shower._comparison,
    "CONJUNCTION": Shower._conjunction,
    "BETWEEN": Shower._between,
    "CAST": Shower._cast,
    "CASE": Shower._case,
    "OPERATOR": Shower._operator,
}
