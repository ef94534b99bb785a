"""The texts of rules: plain text, names, filters and `if`.

Jinja's own sandbox does not stop `{{ 'a' * 10**10 }}`, so the boundary is a list of allowed nodes, checked before a
template is compiled: no arithmetic, no calls, no loops, no attributes, no assignment.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, nodes

from investigator.capacity.units import (
    format_bytes,
    format_duration,
    format_gb,
    format_gib,
    format_seconds,
    format_tokens,
)
from investigator.rulebook.quantity import UNKNOWN, Quantity, is_number, plain, say_exact

MAX_TEXT_CHARS = 20_000
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Filter,
    nodes.Const,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
)


@dataclass(frozen=True, slots=True)
class TemplateComplaint:
    """What is wrong with a template; `line` counts from 1 inside it, `word` is what to point at."""

    message: str
    line: int
    hint: str
    word: str = ""


def _number(item: object) -> float | None:
    value = item.value if isinstance(item, Quantity) else item
    return float(value) if is_number(value) else None  # type: ignore[arg-type]


def _formatter(render: Callable[[float], str]) -> Callable[[object], str]:
    def apply(item: object) -> str:
        number = _number(item)
        return UNKNOWN if number is None or not math.isfinite(number) else render(number)

    return apply


def _rounded(item: object, step: float, rounding: Callable[[float], int]) -> object:
    number = _number(item)
    if number is None or step <= 0 or not math.isfinite(number):
        return item
    value = rounding(number / step) * step
    exact = int(value) if float(value).is_integer() else value
    return Quantity(exact, item.unit if isinstance(item, Quantity) else None)


def _seconds(item: object, digits: int = 1) -> str:
    return _formatter(lambda number: format_seconds(number, min(max(digits, 0), 6)))(item)


def _number_text(item: object) -> str:
    """Digits only, for settings and commands."""
    number = _number(item)
    if number is None:
        return UNKNOWN
    return str(int(number)) if number.is_integer() else f"{number:.6g}"


def _exact(item: object) -> str:
    return say_exact(item.value, item.unit) if isinstance(item, Quantity) else str(item)


def _or_else(item: object, instead: object) -> object:
    value = item.value if isinstance(item, Quantity) else item
    return instead if value is None or value == "" else item


FILTERS: Mapping[str, Callable[..., object]] = {
    "tokens": _formatter(lambda number: format_tokens(number) + " tokens"),
    "duration": _formatter(format_duration),
    "seconds": _seconds,
    "gib": _formatter(format_gib),
    "gb": _formatter(format_gb),
    "bytes": _formatter(format_bytes),
    "percent": _formatter(lambda number: f"{number * 100:.0f} %"),
    "rate": _formatter(lambda number: plain(number) + " tokens/s"),
    "thousands": _formatter(plain),
    "number": _number_text,
    "exact": _exact,
    "round": lambda item, step=1.0: _rounded(item, step, round),
    "round_up": lambda item, step=1.0: _rounded(item, step, math.ceil),
    "round_down": lambda item, step=1.0: _rounded(item, step, math.floor),
    "or_else": _or_else,
}


@cache
def _environment() -> Environment:
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.globals.clear()
    environment.tests.clear()
    environment.filters.clear()
    environment.filters.update(FILTERS)
    return environment


def check_template(text: str, names: Iterable[str]) -> list[TemplateComplaint]:
    """Everything in a template that is not allowed or not known; empty when it may be rendered."""
    known = frozenset(names)
    try:
        tree = _environment().parse(text)
    except TemplateSyntaxError as error:
        return [TemplateComplaint(f"template: {error.message}", error.lineno, "mend the braces")]
    complaints = []
    for node in _nodes(tree):
        complaint = _complaint(node, known)
        if complaint is not None:
            complaints.append(
                TemplateComplaint(complaint[0], node.lineno, complaint[1], str(getattr(node, "name", "")))
            )
    return complaints


def _nodes(tree: nodes.Node) -> list[nodes.Node]:
    found = [tree]
    for child in tree.iter_child_nodes():
        found += _nodes(child)
    return found


def _complaint(node: nodes.Node, known: frozenset[str]) -> tuple[str, str] | None:
    if not isinstance(node, _ALLOWED):
        kind = type(node).__name__.lower()
        return f"`{kind}` is not allowed in a template", "text, names, filters and if only; compute in a step"
    if isinstance(node, nodes.Name) and node.name not in known:
        return (
            f"`{node.name}` is neither a column nor a step, parameter or what-if",
            f"known: {', '.join(sorted(known))}",
        )
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"no filter is called `{node.name}`", f"known: {', '.join(sorted(FILTERS))}"
    return None


@lru_cache(maxsize=4000)
def _template(text: str) -> Template:
    """Compiled once: a rule with a hundred findings says the same sentence a hundred times."""
    return _environment().from_string(text)


def render(text: str, values: Mapping[str, object]) -> str:
    """Render a checked template. `values`: Quantity by name. The result is cut at MAX_TEXT_CHARS."""
    rendered = _template(text).render(values)
    return rendered[:MAX_TEXT_CHARS].strip()
