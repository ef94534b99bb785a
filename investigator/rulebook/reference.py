"""The reference of the rule language, generated from its types: docs/rules.md carries it, a test keeps it fresh."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from investigator.capacity.registry import FUNCTIONS
from investigator.rulebook.model import (
    AcceptedMutant,
    CauseEdge,
    Expect,
    Explain,
    Merge,
    NeededView,
    Needs,
    Param,
    RemedySpec,
    Repeat,
    Rule,
    RuleTest,
    StepSpec,
    Translation,
    WhatIf,
)
from investigator.rulebook.templates import FILTERS

_PARTS: tuple[type[BaseModel], ...] = (
    Rule,
    Needs,
    NeededView,
    Param,
    StepSpec,
    Merge,
    Explain,
    Translation,
    WhatIf,
    RemedySpec,
    CauseEdge,
    RuleTest,
    Repeat,
    Expect,
    AcceptedMutant,
)


def reference() -> str:
    """Markdown: the keys of each part, the capacity functions, the filters."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    for part in _PARTS:
        yield f"### {_title(part)}"
        yield ""
        yield f"{_first_sentence(part)}"
        yield ""
        yield "| key | is | needed | meaning |"
        yield "|---|---|---|---|"
        for name, info in part.model_fields.items():
            needed = "yes" if info.is_required() else ""
            yield f"| `{info.alias or name}` | {_type(info)} | {needed} | {info.description or ''} |"
        yield ""
    yield "### Capacity functions"
    yield ""
    yield "| function | gives | meaning |"
    yield "|---|---|---|"
    for function in FUNCTIONS.values():
        names = ", ".join(f"{parameter.name} [{parameter.unit}]" for parameter in function.parameters)
        yield f"| `{function.name}` ({names}) | {function.unit} | {function.doc.splitlines()[0].replace('|', '¦')} |"
    yield ""
    yield "### Filters of templates"
    yield ""
    yield ", ".join(f"`{name}`" for name in FILTERS)


def _title(part: type[BaseModel]) -> str:
    return {"RuleTest": "Test", "StepSpec": "Step", "RemedySpec": "Remedy", "NeededView": "Needed view"}.get(
        part.__name__,
        {"CauseEdge": "Cause", "WhatIf": "What-if", "Param": "Parameter", "AcceptedMutant": "Accepted mutant"}.get(
            part.__name__, part.__name__
        ),
    )


def _first_sentence(part: type[BaseModel]) -> str:
    text = part.__doc__ if part.__doc__ and not part.__doc__.startswith("!") else ""
    return " ".join(text.split())


def _type(info: FieldInfo) -> str:
    return _say(info.annotation)


def _say(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " \\| ".join(str(each) for each in inner)
    if origin is Annotated:
        return _say(inner[0])
    if origin in {Union, UnionType}:
        return " or ".join(_say(each) for each in inner if each is not NoneType)
    if origin is list:
        return f"list of {_say(inner[0])}"
    if origin is dict:
        return f"name → {_say(inner[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _title(annotation)
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(annotation, "any")
