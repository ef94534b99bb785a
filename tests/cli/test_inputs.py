"""Inputs that cannot be used: a clear message, the documented exit code, and the other inputs are still read."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run, spawn

pytestmark = pytest.mark.usefixtures("few_rules")


def truncated_gzip(folder: Path, log: Path) -> Path:
    path = folder / "cut.log.gz"
    data = gzip.compress(log.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    return path


def empty(folder: Path, log: Path) -> Path:
    path = folder / "empty.log"
    path.touch()
    return path


def binary(folder: Path, log: Path) -> Path:
    path = folder / "binary.log"
    path.write_bytes(bytes(range(256)) * 40)
    return path


def no_logs(folder: Path, log: Path) -> Path:
    path = folder / "photos"
    path.mkdir()
    return path


def missing(folder: Path, log: Path) -> Path:
    return folder / "nowhere.log"


def prose(folder: Path, log: Path) -> Path:
    path = folder / "poem.txt"
    path.write_text("Whose woods these are I think I know.\n" * 30, encoding="utf-8")
    return path


BAD: list[tuple[Callable[[Path, Path], Path], str]] = [
    (truncated_gzip, "damaged or cut"),
    (empty, "nothing can be read from it"),
    (binary, "a binary file"),
    (no_logs, "the folder holds no files"),
    (missing, "no such file or folder"),
    (prose, "text of no known format"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_bad_input_beside_a_good_one(
    run: Run, tmp_path: Path, healthy_log: Path, make: Callable[[Path, Path], Path], message: str
) -> None:
    bad = make(tmp_path, healthy_log)
    result = run("coverage", bad, healthy_log, "--json")
    assert result.exit_code == 3
    assert any(bad.name in line and message in line for line in result.stderr.splitlines()), result.stderr
    account = {source["path"]: source for source in json.loads(result.stdout)}
    good = next(source for path, source in account.items() if path.endswith("server.log"))
    assert good["complete"] and good["lines"] == len(healthy_log.read_bytes().splitlines())


def test_nothing_but_a_missing_path(run: Run) -> None:
    result = run("investigate", "nowhere", "--json")
    assert result.exit_code == 3
    assert "nowhere: no such file or folder" in result.stderr
    report = json.loads(result.stdout)
    assert report["verdict"]["kind"] == "insufficient"
    assert report["exit"]["code"] == 3


def test_unreadable_file(tmp_path: Path, healthy_log: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_bytes(healthy_log.read_bytes())
    secret.chmod(0)
    before: tuple[str, ...] = ()
    if os.geteuid() == 0:
        # root reads everything, unless it gives up the right to
        if shutil.which("setpriv") is None:
            pytest.skip("running as root without setpriv")
        before = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    done = spawn("coverage", secret, healthy_log, "--json", cwd=tmp_path, before=before)
    assert done.returncode == 3
    assert "secret.log: permission denied" in done.stderr.decode()
    assert [Path(source["path"]).name for source in json.loads(done.stdout)] == ["server.log"]


def test_standard_input(run: Run, healthy_log: Path) -> None:
    result = run("coverage", "-", "--json", stdin=healthy_log.read_bytes())
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["path"] == "stdin"


def test_account_adds_up(run: Run, healthy_log: Path) -> None:
    (source,) = json.loads(run("coverage", healthy_log, "--json").stdout)
    noise = sum(lines for _, lines in source["noise"])
    assert source["lines"] == source["facts"] + noise + source["foreign"] + source["unrecognised"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--case", "a.duckdb", "--no-case"), 2, "exclude each other"),
        (("-o", "nowhere/report.html"), 2, "folder of the report does not exist"),
        (("-o", "."), 2, "this is a folder"),
        (("--rules", "no-rules"), 2, "no such rule file or folder"),
    ],
)
def test_wrong_options_cost_no_reading(
    run: Run, healthy_log: Path, args: tuple[str, ...], code: int, message: str
) -> None:
    result = run("investigate", healthy_log, *args)
    assert (result.exit_code, message in result.stderr) == (code, True), result.stderr


def test_a_bad_rule_is_told_and_the_others_run(run: Run, tmp_path: Path, healthy_log: Path) -> None:
    (tmp_path / "odd.yaml").write_text("schema: 1\nid: odd\n", encoding="utf-8")
    result = run("investigate", healthy_log, "--rules", tmp_path / "odd.yaml", "--json", "--no-case")
    assert result.exit_code == 3
    assert "odd.yaml" in result.stderr
    assert len(json.loads(result.stdout)["rules"]) > 3


@pytest.mark.parametrize("command", [("analyze",), ("report",), ("query", "SELECT 1"), ("explain",)])
def test_missing_case(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    name, *rest = command
    args = ("window-capped-below-native", "--case", "none.duckdb") if name == "explain" else ("none.duckdb", *rest)
    result = run(name, *args)
    assert result.exit_code == 3
    assert "none.duckdb: no such case file" in result.stderr
    assert not list(tmp_path.iterdir())
