"""What SQL of a rule is let through, and what is refused before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from investigator.casefile.derived import derived_tables
from investigator.rulebook.functions import allowed_functions
from investigator.rulebook.gate import check_expression, check_statement
from investigator.rulebook.pack import RuleSet
from investigator.rulebook.sqltree import SqlError, SqlReader
from investigator.yamltext import load as load_yaml

CASES = load_yaml((Path(__file__).parent / "hostile.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reader() -> Iterator[SqlReader]:
    reader = SqlReader()
    yield reader
    reader.close()


def refusals(reader: SqlReader, sql: str) -> list[str]:
    try:
        return [error.message for error in check_statement(reader.statement(sql), derived_tables())]
    except SqlError as error:
        return [error.message]


@pytest.mark.parametrize("entry", CASES, ids=[entry["match"] for entry in CASES])
def test_statement(reader: SqlReader, entry: dict[str, Any]) -> None:
    messages = refusals(reader, entry["match"])
    if entry.get("ok"):
        assert messages == []
    else:
        assert any(entry["says"] in message for message in messages), messages


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("(SELECT max(asked_tokens) FROM attempts)", "subquery in an expression"),
        ("sum(asked_tokens)", "sum() folds rows"),
        ("row_number() OVER ()", "window in an expression"),
        ("repeat('x', 10)", "the function `repeat`"),
        ("getvariable('x')", "the function `getvariable`"),
        ("1 + 2 * greatest(a, b)", None),
        ("coalesce(a, b) IS NULL AND c BETWEEN 1 AND 2", None),
    ],
)
def test_expression(reader: SqlReader, sql: str, says: str | None) -> None:
    messages = [error.message for error in check_expression(reader.expression(sql))]
    assert (messages == []) if says is None else any(says in message for message in messages)


@pytest.mark.parametrize("sql", ["1, 2", "1 FROM attempts", "1; SELECT 2", "1 ORDER BY 1", "", "1 --", "1) + (2"])
def test_an_expression_is_one_expression(reader: SqlReader, sql: str) -> None:
    if sql == "1 --":  # a comment is no second expression
        assert reader.expression(sql)["class"] == "CONSTANT"
        return
    with pytest.raises(SqlError):
        reader.expression(sql)


def test_a_comment_cannot_swallow_the_query(example_text: str, rule_from: Callable[..., RuleSet]) -> None:
    loaded = rule_from(example_text.replace("timeout_s * $margin", "timeout_s * $margin --"))
    assert [rule.id for rule in loaded.rules] == ["prefill-example"]
    assert "--" not in loaded.rules[0].verdict.sql


def test_nothing_that_multiplies_or_reads_is_allowed() -> None:
    dangerous = {"repeat", "range", "generate_series", "lpad", "rpad", "read_csv", "read_text", "glob", "getenv", "now"}
    dangerous |= {"random", "uuid", "query", "query_table", "current_setting", "set_seed", "sleep_ms", "unnest"}
    assert not dangerous & allowed_functions()


def test_a_long_statement_is_refused(reader: SqlReader) -> None:
    with pytest.raises(SqlError, match="characters"):
        reader.statement("SELECT " + "1+" * 30_000 + "1")
