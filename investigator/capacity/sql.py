"""The same functions as SQL: given `Sql` instead of numbers, they write down what they would compute.

numpy hands its operations to any operand that implements its protocols (NEP 13, NEP 18), so a function written once for
floats and arrays also gives the expression that a database evaluates over a million rows without a call into Python.
Unknown is NaN here and NULL there: comparisons with it are false, everything else of it is unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray

_BINARY = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.true_divide: "/",
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
    np.equal: "=",
}
_LITERAL = re.compile(r"-?[\d.]+e[-+]?\d+")


class Sql(NDArrayOperatorsMixin):
    """An expression over columns, standing for an array of DOUBLE (or of text, in `looked_up`)."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        texts = [_text(each) for each in inputs]
        if ufunc in _BINARY:
            return Sql(f"({texts[0]} {_BINARY[ufunc]} {texts[1]})")
        return Sql(_UFUNCS[ufunc](*texts)) if ufunc in _UFUNCS else NotImplemented

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> Any:
        if function is np.where and not options:
            return Sql(_case(*map(_text, args)))
        if function is np.clip and not options:
            value, low, high = args
            return np.minimum(np.maximum(value, low), high)
        return NotImplemented


def looked_up(names: ArrayLike | Sql, values: Mapping[str, float]) -> NDArray[np.float64]:
    """The value of each name, upper or lower case; unknown for a name that is not there."""
    if isinstance(names, Sql):
        whens = " ".join(f"WHEN '{name}' THEN {_text(value)}" for name, value in values.items())
        return cast("NDArray[np.float64]", Sql(f"CASE lower({names.text}) {whens} END"))
    given = np.asarray(names, dtype=object)
    flat = given.ravel().tolist()
    known = {name: values.get(name.lower(), np.nan) if isinstance(name, str) else np.nan for name in set(flat)}
    return np.fromiter(map(known.__getitem__, flat), dtype=np.float64, count=len(flat)).reshape(given.shape)


def _text(value: Any) -> str:
    if isinstance(value, Sql):
        return value.text
    number = float(value)
    if math.isnan(number):
        return "NULL"
    # an exponent makes it a DOUBLE: 1.6 alone would be a DECIMAL
    return f"{number!r}" if "e" in repr(number) else f"{number!r}e0"


def _case(condition: str, then: str, otherwise: str) -> str:
    if then == "NULL" and condition == f"({otherwise} = 0.0e0)":
        return f"nullif({otherwise}, 0.0e0)"
    return f"CASE WHEN {condition} THEN {then} ELSE {otherwise} END"


def _known(function: str) -> Callable[[str, str], str]:
    """greatest and least skip what is unknown; here it makes the result unknown."""

    def write(a: str, b: str) -> str:
        both = " AND ".join(f"{each} IS NOT NULL" for each in (a, b) if not _LITERAL.fullmatch(each))
        return f"CASE WHEN {both or 'true'} THEN {function}({a}, {b}) END"

    return write


_UFUNCS: Mapping[np.ufunc, Callable[..., str]] = {
    np.maximum: _known("greatest"),
    np.minimum: _known("least"),
    np.isnan: lambda a: f"({a} IS NULL)",
    np.ceil: lambda a: f"ceil({a})",
    np.power: lambda a, b: f"pow({a}, {b})",
    # the root of a negative number is an error in SQL, its power is not
    np.sqrt: lambda a: f"pow({a}, 0.5e0)",
    np.negative: lambda a: f"(-{a})",
}
