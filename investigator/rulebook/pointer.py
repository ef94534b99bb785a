"""From places in a rule's data to places in its file: line, column, and the text that stands there."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from investigator.errors import RuleProblem
from investigator.rulebook.check import Issue, nearest
from investigator.rulebook.model import Rule
from investigator.rulebook.yamlpos import Document, Path, Position


@dataclass(frozen=True, slots=True)
class Pointer:
    """Turns places in the data into places in the file."""

    file: str
    lines: list[str]
    document: Document

    def problem(self, message: str, hint: str, at: Position) -> RuleProblem:
        source = self.lines[at.line - 1] if at.line <= len(self.lines) else None
        return RuleProblem(message, hint, self.file, at.line, column=at.column, source_line=source)

    def validation(self, error: ErrorDetails) -> RuleProblem:
        path: Path = tuple(error["loc"])
        message = error["msg"].removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            hint = nearest(str(path[-1]), _keys_at(path[:-1]))
            return self.problem(f"unknown key `{path[-1]}`", hint, self.document.key_at(path))
        if error["type"] == "missing":
            at = self.document.at(path[:-1])
            return self.problem(f"the key `{path[-1]}` is missing", "add it; see docs/rules.md", at)
        return self.problem(f"{'.'.join(map(str, path))}: {message}", _hint(error), self.document.at(path))

    def issue(self, issue: Issue) -> RuleProblem:
        return self.problem(issue.message, issue.hint, self.inside(issue))

    def inside(self, issue: Issue) -> Position:
        """Where in the file an issue is, as exactly as the text of its value allows."""
        at = self.document.at(issue.path)
        if issue.path not in self.document.values or (issue.offset is None and issue.line is None):
            return at
        if not at.block:
            # quoted text starts after the quote; escapes and folded lines make the column approximate
            quote = self.lines[at.line - 1][at.column - 1] in "\"'"
            single = issue.line in {None, 1}
            return Position(at.line, at.column + quote + (issue.offset or 0)) if single else at
        return self._in_block(at, self._text(issue.path), issue)

    def _in_block(self, at: Position, text: str, issue: Issue) -> Position:
        line, column = issue.line or 1, issue.offset or 0
        if issue.line is None and at.block == "|":
            before = text[: issue.offset]
            line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
        elif issue.line is None:
            line, column = self._unfolded(at, column)
        row = min(at.line + line, len(self.lines))
        first = self.lines[min(at.line, len(self.lines) - 1)]
        indent = len(first) - len(first.lstrip(" "))
        return Position(row, indent + column + 1)

    def _unfolded(self, at: Position, offset: int) -> tuple[int, int]:
        """Line (from 1) and column (from 0) in a folded block, whose lines were joined by single spaces."""
        for number, line in enumerate(self.lines[at.line :], 1):
            width = len(line.strip()) + 1
            if offset < width:
                return number, offset
            offset -= width
        return 1, 0

    def _text(self, path: Path) -> str:
        node: Any = self.document.data
        for part in path:
            node = node[part]
        return str(node)


def _hint(error: ErrorDetails) -> str:
    expected = (error.get("ctx") or {}).get("expected")
    given = error.get("input")
    if isinstance(expected, str) and isinstance(given, str):
        return nearest(given, [word.strip(" '") for word in expected.replace(" or ", ",").split(",")])
    return "see docs/rules.md"


def _keys_at(path: Path) -> list[str]:
    """The keys that the rule language has at a path."""
    model: Any = Rule
    for part in path:
        model = _step(model, part)
    return [info.alias or name for name, info in model.model_fields.items()] if _is_model(model) else []


def _step(annotation: Any, part: str | int) -> Any:
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return _plain(field.annotation) if field else None
    inner = get_args(annotation)
    return _plain(inner[-1]) if inner and get_origin(annotation) in {list, dict} else None


def _plain(annotation: Any) -> Any:
    """Without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return _plain(next(each for each in get_args(annotation) if each is not NoneType))
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
