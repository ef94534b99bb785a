"""What types cannot see: SQL, names, templates and references of one rule, checked while it is compiled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from investigator.casefile.derived import derived_tables
from investigator.rulebook.compile import REPLAY, Compiled, Expression, arguments, expression, judged_sql
from investigator.rulebook.gate import check_expression, check_statement, tables_read
from investigator.rulebook.growth import check_growth
from investigator.rulebook.lineage import lineage
from investigator.rulebook.locality import empty_without, is_row_local, is_silent_in_worlds
from investigator.rulebook.merge import KEEP
from investigator.rulebook.model import Rule
from investigator.rulebook.sqltree import SqlError, SqlReader, Tree, guard_divisions, parameters
from investigator.rulebook.templates import check_template
from investigator.rulebook.yamlpos import Path

#: Names that every template may use beside the rule's own.
TEMPLATE_NAMES = ("count", "first_at", "last_at")
_BINDER_POSITION = re.compile(r"LINE (\d+): (.*)\n( *)\^")


@dataclass(frozen=True, slots=True)
class Issue:
    """Something wrong at `path` of the file; `offset` counts characters, `line` lines (from 1), inside the value."""

    path: Path
    message: str
    hint: str
    offset: int | None = None
    line: int | None = None


@dataclass(slots=True)
class Checker:
    """Compiles one rule and collects everything that is wrong with it."""

    reader: SqlReader
    con: duckdb.DuckDBPyConnection
    rule: Rule
    issues: list[Issue] = field(default_factory=list)

    def compile(self, path: str, pack: str) -> Compiled | None:
        """The compiled rule, or None when `issues` has something."""
        match = self._match()
        if match is None:
            return None
        tree, sql, types = match
        origins = lineage(tree)
        known = [*types]
        steps = self._steps(known)
        # a step that is wrong itself still has its name: one mistake is one problem
        names = [*known, *(step.name for step in self.rule.steps)]
        verdict = self._expression(("verdict",), self.rule.verdict, names)
        changes = self._changes(known)
        conditions = self._conditions(names)
        self._defaults()
        self._names(known, [step.name for step in self.rule.steps])
        self._templates(names)
        if verdict is not None and len(steps) == len(self.rule.steps):
            self._parameters(tree, [*steps.values(), verdict])
        if verdict is None or self.issues:
            return None
        views = tuple(tables_read(tree, derived_tables()))
        compiled = Compiled(
            self.rule, path, pack, sql, tuple(parameters(tree)), views,
            origins, types, steps, verdict, changes, conditions,
            {name: param.default for name, param in self.rule.params.items()}, is_row_local(tree, "attempts"),
            is_silent_in_worlds(tree), empty_without(tree, views),
        )  # fmt: skip
        self._types(compiled)
        return None if self.issues else compiled

    def _say(self, path: Path, message: str, hint: str, offset: int | None = None, line: int | None = None) -> None:
        self.issues.append(Issue(path, message, hint, offset, line))

    def _sql_error(self, path: Path, error: SqlError) -> None:
        self._say(path, error.message, error.hint or "see docs/rules.md", error.offset)

    def _match(self) -> tuple[Tree, str, dict[str, str]] | None:
        at: Path = ("match",)
        try:
            tree = self.reader.statement(self.rule.match)
            errors = check_statement(tree, derived_tables()) or check_growth(tree)
        except SqlError as problem:
            tree, errors = {}, [problem]
        for error in errors:
            self._sql_error(at, error)
        if errors:
            return None
        self._declared_views(tables_read(tree, derived_tables()))
        types = self._describe(tree)
        if types is None:
            return None
        if "subject" not in types:
            self._say(
                at, "the candidates have no `subject`", "SELECT attempt_id AS subject, …: the row that is judged", 0
            )
        guarded = self.reader.statement(self.rule.match)
        guard_divisions(guarded)
        return tree, self.reader.print_statement(guarded), types

    def _declared_views(self, read: list[str]) -> None:
        declared = self.rule.needs.views
        for name in read:
            if name not in declared:
                version = derived_tables()[name].version
                self._say(
                    ("needs", "views"),
                    f"match reads `{name}`",
                    f"add it to needs.views: {name}: {{version: {version}}}",
                )
        for name in declared:
            if name not in derived_tables():
                self._say(("needs", "views", name), f"no view is called `{name}`", nearest(name, derived_tables()))
            elif name not in read:
                self._say(("needs", "views", name), f"match does not read `{name}`", "leave it out")

    def _describe(self, tree: Tree) -> dict[str, str] | None:
        values = {REPLAY: False, **{name: param.default for name, param in self.rule.params.items()}}
        used = parameters(tree)
        unknown = [name for name in used if name not in values]
        for name in unknown:
            self._say(("match",), f"no parameter is called `${name}`", nearest(name, values))
        if unknown:
            return None
        try:
            rows = self.con.execute(f"DESCRIBE {self.rule.match}", {name: values[name] for name in used}).fetchall()
        except duckdb.Error as error:
            message, line, offset = _duckdb_message(error)
            self._say(("match",), message, "see `investigator schema` for the views' columns", offset, line)
            return None
        return {str(row[0]): str(row[1]) for row in rows}

    def _steps(self, known: list[str]) -> dict[str, Expression]:
        steps: dict[str, Expression] = {}
        names = list(known)
        for number, step in enumerate(self.rule.steps):
            at: Path = ("steps", number)
            if step.name in names:
                self._say((*at, "name"), f"`{step.name}` is already a column or step", "choose another name")
            compiled = self._expression((*at, "expr"), step.expr, names)
            names.append(step.name)
            if compiled is not None:
                steps[step.name] = compiled
        return steps

    def _expression(self, path: Path, sql: str, known: Iterable[str]) -> Expression | None:
        try:
            compiled = expression(self.reader, sql)
        except SqlError as problem:
            self._sql_error(path, problem)
            return None
        errors = check_expression(compiled.tree) or check_growth(compiled.tree)
        for error in errors:
            self._sql_error(path, error)
        names = set(known)
        for name in compiled.columns:
            if name not in names:
                offset = sql.find(name)
                self._say(
                    path, f"`{name}` is neither a column of match nor an earlier step", nearest(name, names), offset
                )
                errors.append(SqlError(name))
        for name in compiled.parameters:
            if name not in self.rule.params and name != REPLAY:
                self._say(
                    path, f"no parameter is called `${name}`", nearest(name, self.rule.params), sql.find("$" + name)
                )
                errors.append(SqlError(name))
        return None if errors else compiled

    def _changes(self, known: list[str]) -> dict[str, dict[str, Expression]]:
        found: dict[str, dict[str, Expression]] = {}
        for number, what_if in enumerate(self.rule.what_if):
            at: Path = ("what_if", number)
            if what_if.change is None and what_if.solve is None:
                self._say(
                    at, "a what-if needs `change` or `solve`", "say which columns change, or which one to solve for"
                )
            if what_if.solve is not None and (what_if.upto is None) == (what_if.downto is None):
                self._say(at, "`solve` searches `upto` or `downto` a value", "give one of them")
            if what_if.solve is not None and what_if.solve not in known:
                self._say((*at, "solve"), f"`{what_if.solve}` is no column of match", nearest(what_if.solve, known))
            found[what_if.id] = {}
            for name, sql in (what_if.change or {}).items():
                if name not in known:
                    self._say((*at, "change", name), f"`{name}` is no column of match", nearest(name, known))
                compiled = self._expression((*at, "change", name), "NULL" if sql is None else str(sql), known)
                if compiled is not None:
                    found[what_if.id][name] = compiled
        return found

    def _conditions(self, known: list[str]) -> dict[str, Expression]:
        found = {}
        for number, remedy in enumerate(self.rule.remedies):
            if remedy.when is not None:
                compiled = self._expression(("remedies", number, "when"), remedy.when, known)
                if compiled is not None:
                    found[str(number)] = compiled
        return found

    def _names(self, known: list[str], steps: list[str]) -> None:
        rule, what_ifs = self.rule, {what_if.id for what_if in self.rule.what_if}
        self._each(("needs", "non_null"), rule.needs.non_null, known, "column of match")
        self._each(("units",), rule.units, known, "column of match")
        if rule.merge is not None:
            self._each(("merge", "by"), rule.merge.by, known, "column of match")
            kept = KEEP.fullmatch(rule.merge.keep)
            if kept is None:
                self._say(("merge", "keep"), "not a way to choose a member", "first, last, max(column) or min(column)")
            elif kept[2] and kept[2] not in {*known, *steps}:
                self._say(
                    ("merge", "keep"), f"`{kept[2]}` is neither column nor step", nearest(kept[2], {*known, *steps})
                )
        for number, what_if in enumerate(rule.what_if):
            if what_if.give is not None:
                self._each(("what_if", number, "give"), [what_if.give], steps, "step")
        for number, remedy in enumerate(rule.remedies):
            if remedy.proves is not None:
                self._each(("remedies", number, "proves"), [remedy.proves], what_ifs, "what-if")
        self._translations(steps)
        if rule.kind == "cause" and rule.cause is None:
            self._say(("kind",), "a rule of kind cause names its cause", "add `cause:` with a slug of the vocabulary")
        tests = {test.name for test in rule.tests}
        for number, test in enumerate(rule.tests):
            if [test.given, test.like, test.log].count(None) != 2:
                self._say(("tests", number), "a test has one of `given`, `like`, `log`", "keep one of them")
            if test.like is not None:
                self._each(("tests", number, "like"), [test.like], tests, "test of this rule")

    def _translations(self, steps: list[str]) -> None:
        for language, said in self.rule.texts.items():
            self._each(("texts", language, "steps"), said.steps, steps, "step")
            if said.remedies and len(said.remedies) != len(self.rule.remedies):
                told = f"{len(said.remedies)} remedies for the {len(self.rule.remedies)} of the rule"
                self._say(("texts", language, "remedies"), told, "one for each, in the same order, or none at all")

    def _each(self, path: Path, names: Iterable[str], known: Iterable[str], what: str) -> None:
        allowed = set(known)
        for name in names:
            if name not in allowed:
                self._say(path, f"`{name}` is no {what}", nearest(name, allowed))

    def _templates(self, known: list[str]) -> None:
        names = {*known, *self.rule.params, *TEMPLATE_NAMES, *(what_if.id for what_if in self.rule.what_if)}
        texts: list[tuple[Path, str | None]] = [
            (("explain", "short"), self.rule.explain.short),
            (("explain", "long"), self.rule.explain.long),
        ]
        for language, said in self.rule.texts.items():
            texts += [(("texts", language, key), getattr(said, key)) for key in ("short", "long")]
            texts += [(("texts", language, "remedies", number), do) for number, do in enumerate(said.remedies)]
        for number, remedy in enumerate(self.rule.remedies):
            for key in ("do", "where", "setting", "value", "paste"):
                texts.append((("remedies", number, key), getattr(remedy, key)))
        for path, text in texts:
            for complaint in check_template(text or "", names):
                offset = (text or "").find(complaint.word) if complaint.word else None
                self._say(path, complaint.message, complaint.hint, offset, None if complaint.word else complaint.line)

    def _parameters(self, match: Tree, expressions: list[Expression]) -> None:
        used = {*parameters(match), *(name for each in expressions for name in each.parameters)}
        for name in self.rule.params:
            if name == REPLAY:
                self._say(("params", name), f"`{name}` is a parameter of the language", "choose another name")
            elif name not in used:
                self._say(
                    ("params", name), f"`${name}` is not used", "use it in match, a step or the verdict, or remove it"
                )

    def _defaults(self) -> None:
        kinds: dict[str, type | tuple[type, ...]] = {
            "number": (int, float), "integer": int, "string": str, "boolean": bool,
        }  # fmt: skip
        for name, param in self.rule.params.items():
            value, at = param.default, ("params", name, "default")
            if not isinstance(value, kinds[param.type]) or (isinstance(value, bool) and param.type != "boolean"):
                self._say(at, f"the default {value!r} is no {param.type}", "give a value of the parameter's type")
            elif isinstance(value, int | float) and not inside(value, param.min, param.max):
                self._say(at, f"the default {value} lies outside of min and max", "give a value between them")

    def _types(self, compiled: Compiled) -> None:
        """Let DuckDB bind the whole query, and each what-if, on empty views."""
        for what_if in (None, *compiled.changes):
            sql = judged_sql(compiled, compiled.match_sql, what_if)
            try:
                self.con.execute(f"DESCRIBE {sql}", arguments(compiled, what_if=what_if))
            except duckdb.Error as error:
                path: Path = ("verdict",) if what_if is None else ("what_if",)
                self._say(path, _duckdb_message(error)[0], "check the types of columns and steps")
                return


def inside(value: float, low: float | None, high: float | None) -> bool:
    """Whether a value lies between two bounds, both of which may be open."""
    return (low is None or value >= low) and (high is None or value <= high)


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the closest known name, or with all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known: {', '.join(names) or 'none'}"


def _duckdb_message(error: duckdb.Error) -> tuple[str, int | None, int | None]:
    """First line, and the position (line from 1, column offset from 0) if DuckDB gave one; DESCRIBE is 9 characters."""
    text = str(error)
    found = _BINDER_POSITION.search(text)
    message = text.splitlines()[0]
    if found is None or found[2].startswith("..."):
        return message, int(found[1]) if found else None, None
    line = int(found[1])
    column = len(found[3]) - len(f"LINE {line}: ") - (len("DESCRIBE ") if line == 1 else 0)
    return message, line, max(column, 0)
