"""Rule files → compiled rules. All that is wrong is told at once, each with file, line, column and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import duckdb
from pydantic import ValidationError

from investigator.errors import RuleProblem
from investigator.rulebook.cache import RuleCache, key_of
from investigator.rulebook.check import Checker, Issue
from investigator.rulebook.compile import Compiled
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.model import Rule
from investigator.rulebook.pack import Pack, RuleSet, describe_pack, rule_files
from investigator.rulebook.pointer import Pointer
from investigator.rulebook.sqltree import SqlReader
from investigator.rulebook.yamlpos import Document, Position, read_yaml

MAX_FILE_BYTES = 1_000_000
#: C0 and C1 but tab and line ends; marks that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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
            try:
                compiled, problems, data = _compile_text(self.tools(), text, file, pack)
            except RecursionError:
                compiled, data = None, None
                problems = [RuleProblem("something in this rule is nested too deeply", "write it flat", file, 1)]
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


def _control_characters(document: Document) -> Iterator[tuple[str, str, Position]]:
    """Texts that could steer a terminal or hide what they say."""
    for path, at in document.values.items():
        value: Any = document.data
        for part in path:
            value = value[part]
        if isinstance(value, str):
            found = _CONTROL.search(value)
            if found is not None:
                yield f"a control character (U+{ord(found[0]):04X})", "write visible characters only", at


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
    pointer = Pointer(str(file), text.splitlines(), document)
    problems = [pointer.problem(each.message, each.hint, each.at) for each in document.complaints]
    if document.data is None:
        return None, problems, None
    try:
        rule = Rule.model_validate(document.data)
    except ValidationError as error:
        return None, problems + [pointer.validation(each) for each in error.errors(include_url=False)], None
    problems += [pointer.problem(*each) for each in _control_characters(document)]
    checker = Checker(tools.reader, tools.con, rule)
    if rule.id != file.stem:
        checker.issues.append(
            Issue(("id",), f"the id is `{rule.id}`, the file `{file.stem}`", "give both the same name")
        )
    compiled = checker.compile(str(file), pack)
    problems += [pointer.issue(issue) for issue in checker.issues]
    return (None if problems else compiled), problems, document.data
