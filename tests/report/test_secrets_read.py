"""Secrets in logs of every format, the whole way: read, judged, reported. None in any output, nor where the case shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from investigator import __version__
from investigator.casefile.case import Case
from investigator.casefile.ingest import ingest
from investigator.diagnosis.diagnose import diagnose
from investigator.diagnosis.model import Diagnosis, EvidenceLine
from investigator.pipeline import builtin_rules, prepare
from investigator.report import render_html, render_json, render_junit, render_markdown, render_sarif, scan
from investigator.rulebook.evaluate import evaluate

RENDERERS = {
    "html": render_html, "md": render_markdown, "json": render_json, "sarif": render_sarif, "junit": render_junit,
}  # fmt: skip


@dataclass(frozen=True)
class Leaking:
    """A case read from logs with secrets: those that were put, and the formats that were read."""

    diagnosis: Diagnosis
    put: dict[str, str]
    formats: frozenset[str]


def _read(folder: Path, planter: object, files: Iterator[tuple[str, bytes]]) -> Leaking:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    rules = builtin_rules()
    with Case(None) as case:
        ingest([folder], case)
        prepare(case)
        evaluation = evaluate(case.connection, rules)
        found = diagnose(case, rules, evaluation, tool_version=__version__, replay=False)
        sql = "SELECT path, line_no, text FROM meta.evidence_lines JOIN meta.sources USING (source_id) ORDER BY ALL"
        kept = case.connection.execute(sql).fetchall()
        formats = {format_ for (format_,) in case.connection.execute("SELECT format FROM meta.sources").fetchall()}
    lines = {f"{path}:{no}": EvidenceLine(path, no, text, (), (), "kept") for path, no, text in kept}
    return Leaking(replace(found, evidence={**lines, **found.evidence}), planter.put, frozenset(formats))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory, corpus: ModuleType, secret_logs: ModuleType) -> Leaking:
    planter = secret_logs.Planter(corpus, 5)
    return _read(tmp_path_factory.mktemp("some"), planter, secret_logs.logs(planter, ("journald json",), most=2))


def test_the_logs_are_read_and_hold_the_secrets(some: Leaking) -> None:
    assert len(some.put) >= 300 and len(set(some.put.values())) >= 40
    assert len(some.formats) >= 60 and len(some.diagnosis.evidence) > 500
    held = "\n".join(line.text for line in some.diagnosis.evidence.values())
    assert sum(value in held for value in some.put) > 100


@pytest.mark.parametrize("format_", RENDERERS)
def test_no_secret_comes_out(some: Leaking, format_: str) -> None:
    text = RENDERERS[format_](some.diagnosis)
    assert sorted({kind for value, kind in some.put.items() if value in text}) == []
    assert scan(text) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_no_secret_comes_out_of_any_transport(
    tmp_path: Path, corpus: ModuleType, secret_logs: ModuleType, seed: int
) -> None:
    planter = secret_logs.Planter(corpus, 8, seed)
    leaking = _read(tmp_path, planter, secret_logs.logs(planter))
    for format_, render in RENDERERS.items():
        text = render(leaking.diagnosis)
        assert sorted({kind for value, kind in leaking.put.items() if value in text}) == [], format_
