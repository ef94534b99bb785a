"""Where the numbers of a finding come from and how sure they are, looked up in `operands` for all findings at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from investigator.rulebook.compile import Compiled, Expression
from investigator.rulebook.findings import EvidenceRef, Label, Operand, Value
from investigator.rulebook.lineage import VIEW_KEYS
from investigator.rulebook.merge import Row
from investigator.rulebook.quantity import is_number
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__, "sql")

#: Of the lines behind a row, for a number that has none of its own.
_ROW_LINES = 2

_STRENGTH: Mapping[str, int] = {"measured": 0, "derived": 1, "estimated": 2}


def weakest(labels: Iterable[Label]) -> Label:
    """The least certain of the labels; `measured` for none, as constants are exact."""
    return max(labels, key=_STRENGTH.__getitem__, default="measured")


def evidence_ref(text: str) -> EvidenceRef | None:
    """`server.log:212` → its parts; None for a text without a line number."""
    source, _, line = text.rpartition(":")
    return EvidenceRef(source, int(line)) if source and line.isdigit() else None


def evidence_refs(texts: Iterable[str | None]) -> tuple[EvidenceRef, ...]:
    """Parsed, in order, each once."""
    found = (evidence_ref(text) for text in texts if text)
    return tuple(dict.fromkeys(ref for ref in found if ref is not None))


@dataclass(slots=True)
class _Known:
    labels: list[Label] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OperandBook:
    """What `operands` says, by (view, row, column)."""

    known: Mapping[tuple[str, str, str], _Known]

    def operand(self, compiled: Compiled, row: Row, name: str) -> Operand:
        """The column `name` of a candidate row. A number `operands` does not know is derived: a join made it, out of
        the lines that the row itself rests on.
        """
        value: Value = row.get(name)
        found = self.known.get(_place(compiled, row, name))
        default: Label = "derived" if is_number(value) else "measured"
        label = weakest(found.labels) if found and found.labels else default
        evidence = evidence_refs(found.evidence) if found else ()
        if not evidence and value is not None:
            evidence = evidence_refs(list(row.get("evidence") or ())[:_ROW_LINES])
        return Operand(name, value, compiled.units.get(name), label, evidence, found.note if found else None)

    def of_expression(self, compiled: Compiled, row: Row, expression: Expression) -> tuple[Operand, ...]:
        """The columns of match that an expression rests on, through the steps."""
        return tuple(self.operand(compiled, row, name) for name in compiled.behind(expression.columns))


def read_operands(con: duckdb.DuckDBPyConnection, rows: Iterable[tuple[Compiled, Row]]) -> OperandBook:
    """Look up everything that the rows of findings may need, in one query."""
    subjects = sorted({_row_key(compiled, row, name) for compiled, row in rows for name in compiled.types})
    known: dict[tuple[str, str, str], _Known] = {}
    if not subjects:
        return OperandBook(known)
    found = con.execute(_sql("operands"), {"subjects": subjects}).fetchall()
    for view, subject, column, label, evidence, note in found:
        entry = known.setdefault((view, subject, column), _Known())
        if label in _STRENGTH:
            entry.labels.append(label)
        if evidence:
            entry.evidence.append(evidence)
        entry.note = entry.note or note
    return OperandBook(known)


def _place(compiled: Compiled, row: Row, name: str) -> tuple[str, str, str]:
    origin = compiled.lineage.get(name)
    view, column = (origin.view, origin.column) if origin else (compiled.views[0] if compiled.views else "", name)
    return view, _row_key(compiled, row, name), column


def _row_key(compiled: Compiled, row: Row, name: str) -> str:
    """The id of the view's row that a column comes from: match's column with that view's key, else the subject."""
    origin = compiled.lineage.get(name)
    if origin is not None:
        for column, other in compiled.lineage.items():
            if other.view == origin.view and other.column == VIEW_KEYS.get(origin.view):
                return _text(row.get(column))
    return _text(row.get("subject"))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
