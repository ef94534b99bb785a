"""Rule files → compiled rules. All that is wrong is told at once, each with file, line, column and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import duckdb
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from investigator.errors import RuleProblem
from investigator.rulebook.cache import RuleCache, key_of
from investigator.rulebook.check import Checker, Issue, nearest
from investigator.rulebook.compile import Compiled
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.model import Rule
from investigator.rulebook.pack import Pack, RuleSet, describe_pack, rule_files
from investigator.rulebook.sqltree import SqlReader
from investigator.rulebook.yamlpos import Document, Path, Position, read_yaml

MAX_FILE_BYTES = 1_000_000


def load_rules(paths: Sequence[FilePath], *, with_tests: bool = True, cache_folder: FilePath | None = None) -> RuleSet:
    """Load files and folders. Never raises for a bad rule: the others load, `problems` tells what was wrong.

    `with_tests` False skips the inline tests, which are most of a file's text and of the time to parse it; a mistake
    in them then goes unnoticed. `cache_folder` keeps checked rules for the next time.
    """
    loader = _Loader(with_tests, cache_folder)
    try:
        for path in paths:
            loader.load_path(path)
    finally:
        loader.close()
    rules = tuple(loader.rules[rule_id] for rule_id in sorted(loader.rules))
    return RuleSet(rules, tuple(loader.problems), tuple(loader.packs))


@dataclass(slots=True)
class _Tools:
    """What checking needs; opening both takes longer than reading a cached pack."""

    reader: SqlReader
    con: duckdb.DuckDBPyConnection


@dataclass(slots=True)
class _Loader:
    with_tests: bool
    cache_folder: FilePath | None
    rules: dict[str, Compiled] = field(default_factory=dict)
    problems: list[RuleProblem] = field(default_factory=list)
    packs: list[Pack] = field(default_factory=list)
    _tools: _Tools | None = None

    def close(self) -> None:
        if self._tools is not None:
            self._tools.reader.close()
            self._tools.con.close()

    def tools(self) -> _Tools:
        if self._tools is None:
            self._tools = _Tools(SqlReader(), empty_views())
        return self._tools

    def load_path(self, path: FilePath) -> None:
        files = rule_files(path)
        try:
            pack = describe_pack(path, files)
        except RuleProblem as problem:
            self.problems.append(problem)
            return
        self.packs.append(pack)
        if not files:
            self.problems.append(RuleProblem("the folder has no rule files (*.yaml)", "name another folder", path))
        cache = RuleCache.open(self.cache_folder, path, self.with_tests)
        for file in files:
            self._load_file(file, pack.name, cache)
        cache.save()

    def _load_file(self, file: FilePath, pack: str, cache: RuleCache) -> None:
        try:
            text = _read(file)
        except RuleProblem as problem:
            self.problems.append(problem)
            return
        text = text if self.with_tests else without_tests(text)
        key = key_of(file.stem, text)
        compiled = cache.get(key, str(file), pack)
        if compiled is None:
            compiled, problems, data = _compile_text(self.tools(), text, file, pack)
            self.problems += problems
            if compiled is None:
                return
            cache.put(key, data, compiled)
        first = self.rules.get(compiled.id)
        if first is not None:
            self.problems.append(
                RuleProblem(f"the rule `{compiled.id}` is already loaded from {first.path}", "remove one", file, 1)
            )
            return
        self.rules[compiled.id] = compiled


def _read(file: FilePath) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise RuleProblem(f"cannot read the rule file: {error.strerror}", "check the path", file) from error
    if len(data) > MAX_FILE_BYTES:
        raise RuleProblem(f"a rule file of {len(data):,} bytes", f"at most {MAX_FILE_BYTES:,} are read", file)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RuleProblem("the rule file is not UTF-8", "save it as UTF-8", file) from error


def without_tests(text: str) -> str:
    """The rule file with the lines of its `tests:` emptied, so that positions stay what they are."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line[:1] not in (" ", "#", "\n", "\r", "-", "\t", ""):
            inside = line.startswith("tests:")
        kept.append("\n" if inside else line)
    return "".join(kept)


def _compile_text(
    tools: _Tools, text: str, file: FilePath, pack: str
) -> tuple[Compiled | None, list[RuleProblem], Any]:
    document = read_yaml(text)
    pointer = _Pointer(str(file), text.splitlines(), document)
    problems = [pointer.problem(each.message, each.hint, each.at) for each in document.complaints]
    if document.data is None:
        return None, problems, None
    try:
        rule = Rule.model_validate(document.data)
    except ValidationError as error:
        return None, problems + [pointer.validation(each) for each in error.errors(include_url=False)], None
    checker = Checker(tools.reader, tools.con, rule)
    if rule.id != file.stem:
        checker.issues.append(
            Issue(("id",), f"the id is `{rule.id}`, the file `{file.stem}`", "give both the same name")
        )
    compiled = checker.compile(str(file), pack)
    problems += [pointer.issue(issue) for issue in checker.issues]
    return (None if problems else compiled), problems, document.data


@dataclass(frozen=True, slots=True)
class _Pointer:
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
        return self.problem(issue.message, issue.hint, self._inside(issue))

    def _inside(self, issue: Issue) -> Position:
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
