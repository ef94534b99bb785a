"""The founding incident by the command line: what must be seen, and that it is the same everywhere."""

from __future__ import annotations

import json
import re
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import Result

from .conftest import ROOT, Run, spawn

NUMBERS = ("146,760", "131,072", "262,144", "366.9 s", "327.7 s", "300 s")

Founding = tuple[Path, Result]


def test_exit_code_and_nothing_on_stderr(founding: Founding) -> None:
    _, result = founding
    assert result.exit_code == 1, result.stderr
    assert result.stderr == ""


def test_verdict_fits_one_screen(founding: Founding) -> None:
    folder, result = founding
    lines = result.stdout.splitlines()
    assert len(lines) <= 24
    # Paths are told whole, however long they are.
    assert max(len(line) for line in lines if str(folder) not in line) <= 80


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_in_terminal_and_report(founding: Founding, number: str) -> None:
    folder, result = founding
    assert number in result.stdout
    assert number in (folder / "why.html").read_text(encoding="utf-8")


def test_verdict_tells_estimates_with_intervals_what_helps_and_what_is_ruled_out(founding: Founding) -> None:
    text = founding[1].stdout
    flat = " ".join(text.split())
    assert len(re.findall(r"≈ [\d.]+ s  [\d.]+ s – [\d.]+ s", text)) == 2
    assert re.search(r"Would help.* AND .*saves 3 of 3", flat)
    assert len(re.findall(r"✘", text)) >= 2
    assert "Memory did not fit" in flat and "crashed or restarted" in flat.partition("Ruled out")[2]
    assert re.search(r"Read +\d+ lines, 18 files: \d+ facts, \d+ noise, \d+ foreign, 0 unrecognised", text)
    assert "why.html" in text


def test_case_lies_beside_the_report_and_is_private(founding: Founding) -> None:
    folder, _ = founding
    assert sorted(path.name for path in folder.iterdir()) == ["why.case.duckdb", "why.html"]
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


BELIEF = tuple(ROOT / "fixtures" / "window-belief" / name for name in ("llama-server", "pi"))


def test_same_bytes_from_the_case_and_in_another_zone_folder_and_process(run: Run, tmp_path: Path) -> None:
    first = run("investigate", *BELIEF, "-o", "first.html")
    assert first.exit_code == 1, first.stderr
    expected = (tmp_path / "first.html").read_bytes()

    again = run("report", "first.case.duckdb", "-o", "again.html")
    assert again.exit_code == 1, again.stderr
    assert (tmp_path / "again.html").read_bytes() == expected

    for source in BELIEF:
        shutil.copytree(source, tmp_path / "elsewhere" / "logs" / source.name)
    env = {"TZ": "Pacific/Chatham", "LC_ALL": "C", "PYTHONHASHSEED": "7", "COLUMNS": "200"}
    folders = [tmp_path / "elsewhere" / "logs" / source.name for source in reversed(BELIEF)]
    done = spawn("investigate", *folders, "-o", "other.html", "--no-case", "-q", cwd=tmp_path / "elsewhere", env=env)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert (tmp_path / "elsewhere" / "other.html").read_bytes() == expected
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["logs", "other.html"]


@pytest.mark.usefixtures("few_rules")
def test_default_case_is_made_anew(founding: Founding, run: Run, healthy_log: Path, tmp_path: Path) -> None:
    shutil.copy(founding[0] / "why.case.duckdb", tmp_path / "why.case.duckdb")
    result = run("investigate", healthy_log, "-o", "why.json")
    assert result.exit_code == 0, result.stdout
    report = json.loads((tmp_path / "why.json").read_text(encoding="utf-8"))
    assert [line["path"] for line in report["inputs"]] == ["server.log"]


def test_named_case_is_added_to(founding: Founding, run: Run, healthy_log: Path, tmp_path: Path) -> None:
    case = shutil.copy(founding[0] / "why.case.duckdb", tmp_path / "week.duckdb")
    result = run("ingest", healthy_log, "--case", case, "--json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == 19


def test_query_and_explain(founding: Founding, run: Run) -> None:
    case = founding[0] / "why.case.duckdb"
    answer = run("query", case, "SELECT count(*) AS n FROM attempts WHERE failed", "--format", "csv")
    assert (answer.exit_code, answer.stdout) == (0, "n\n3\n")
    wrong = run("query", case, "SELECT nothing FROM attempts")
    assert wrong.exit_code == 2 and "nothing" in wrong.stderr
    write = run("query", case, "DELETE FROM facts.http_request")
    assert write.exit_code == 2 and "read-only" in write.stderr
    explained = run("explain", "prefill-outlasts-timeout", "--case", case)
    assert explained.exit_code == 0 and explained.stdout.count("366.9 s  flat_time") == 3


@pytest.mark.slow
def test_demo_writes_its_report_here(run: Run, tmp_path: Path) -> None:
    result = run("demo")
    assert result.exit_code == 1, result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["investigator-demo.html"]
    assert "investigator-demo.html" in result.stdout
    assert "expected.yaml" not in (tmp_path / "investigator-demo.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("few_rules")
def test_json_goes_to_stdout_alone(run: Run, healthy_log: Path, tmp_path: Path) -> None:
    result = run("investigate", healthy_log, "--json")
    assert json.loads(result.stdout)["exit"]["code"] == result.exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("few_rules")
@pytest.mark.parametrize(
    ("args", "start"),
    [
        (("-o", "a.md"), "## "),
        (("-o", "a.json"), "{"),
        (("-o", "a.txt", "--format", "md"), "## "),
        (("-o", "a.htm"), "<!"),
    ],
)
def test_format_follows_the_ending(
    run: Run, healthy_log: Path, tmp_path: Path, args: tuple[str, ...], start: str
) -> None:
    assert run("investigate", healthy_log, "--no-case", "-q", *args).exit_code == 0
    assert (tmp_path / args[1]).read_text(encoding="utf-8").startswith(start)


def test_a_rule_passes_its_tests_with_and_without_logs(run: Run) -> None:
    result = run("rules", "test", ROOT / "rules" / "runner-crash.yaml")
    assert result.exit_code == 0, result.stdout
    assert " 0 failed" in result.stdout


@pytest.mark.slow
def test_built_in_rules_pass_their_tests(run: Run) -> None:
    result = run("rules", "test", ROOT / "rules")
    assert result.exit_code == 0, result.stdout
    assert " 0 failed" in result.stdout
    assert "skipped" not in result.stdout
