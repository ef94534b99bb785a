"""Sums with the numbers put in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from investigator.rulebook.shown import Shower
from investigator.rulebook.sqltree import SqlReader, strict_columns

VALUES = {"asked": 146760, "rate": 400.0, "cached": None, "low": 4, "wait": 300.0, "r0": 2891.0, "kind": "cut"}
UNITS = {"asked": "tokens", "rate": "tps", "cached": "tokens", "low": "tokens", "wait": "s", "r0": "tps"}


@pytest.fixture(scope="module")
def reader() -> Iterator[SqlReader]:
    reader = SqlReader()
    yield reader
    reader.close()


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("asked / rate", "146,760 tokens ÷ 400 tokens/s"),
        ("asked - coalesce(cached, 0)", "146,760 tokens"),
        ("asked - coalesce(low, 0)", "146,760 tokens − 4 tokens"),
        ("asked - cached", "146,760 tokens − unknown"),
        ("(asked - low) / rate", "(146,760 tokens − 4 tokens) ÷ 400 tokens/s"),
        ("asked - (low - 1)", "146,760 tokens − (4 tokens − 1)"),
        ("asked - low - 1", "146,760 tokens − 4 tokens − 1"),
        ("asked / (rate / 2)", "146,760 tokens ÷ (400 tokens/s ÷ 2)"),
        ("asked + low * 2", "146,760 tokens + 4 tokens × 2"),
        ("-low", "−4 tokens"),
        ("prefill_s(asked, 0, r0, 2.889e-8)", "146,760 tokens ÷ 2,891 tokens/s + 2.889e-8 × (146,760 tokens)²"),
        (
            "prefill_s(asked, low, r0, 2.889e-8)",
            "146,760 tokens ÷ 2,891 tokens/s + 2.889e-8 × ((4 tokens + 146,760 tokens)² − (4 tokens)²)",
        ),
        ("kv_bytes_at(asked, low, 2048, 'f16')", "146,760 tokens × 4 tokens × 2,048"),
        ("kv_bytes_at(asked, 1, 2048, 'q8_0') + low", "146,760 tokens × 1 × 2,048 × q8_0 ÷ f16 + 4 tokens"),
        ("nullif(asked, 0) / rate", "146,760 tokens ÷ 400 tokens/s"),
        ("asked / rate > wait * $margin", "146,760 tokens ÷ 400 tokens/s > 300 s × 1.5"),
        ("kind = 'cut' AND asked >= 5", "cut = cut and 146,760 tokens ≥ 5"),
        ("cached IS NULL OR NOT low > 1", "unknown is unknown or not 4 tokens > 1"),
        ("CASE WHEN low > 1 THEN asked ELSE 0 END", "if 4 tokens > 1: 146,760 tokens, else 0"),
        ("CAST(asked AS DOUBLE)", "146,760 tokens"),
        ("kind IN ('cut', 'refuse')", "cut is one of cut, refuse"),
        ("low BETWEEN 1 AND 5", "4 tokens between 1 and 5"),
    ],
)
def test_shown(reader: SqlReader, sql: str, text: str) -> None:
    shower = Shower({**VALUES, "margin": 1.5}, UNITS)
    assert shower.show(reader.expression(sql)) == text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("1 / 0", None),
        ("1.0 / 0.0", None),
        ("5 // 0", None),
        ("5 % 0", None),
        ("10 / 4", 2.5),
        ("10 / (2 - 2)", None),
        ("coalesce(1 / 0, 7)", 7),
        ("-(4 / 2)", -2),
    ],
)
def test_division_by_zero_is_unknown(reader: SqlReader, sql: str, expected: float | None) -> None:
    import duckdb

    from investigator.rulebook.compile import expression

    with duckdb.connect() as con:
        assert con.execute(f"SELECT {expression(reader, sql).sql}").fetchone() == (expected,)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("asked / rate > wait * 2", ["asked", "rate", "wait"]),
        ("asked - coalesce(cached, 0)", ["asked"]),
        ("asked > 1 AND NOT (cached IS NULL AND low > 1)", ["asked", "low"]),
        ("CASE WHEN low > 1 THEN asked END", []),
        ("prefill_s(asked, coalesce(cached, 0), r0, 1)", ["asked", "r0"]),
    ],
)
def test_what_an_expression_cannot_do_without(reader: SqlReader, sql: str, names: list[str]) -> None:
    assert strict_columns(reader.expression(sql)) == names
