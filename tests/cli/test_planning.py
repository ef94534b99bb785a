"""`fit`, `what-if`, `machines`, `models`: the numbers of their JSON, and what a person reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.planning.make import case_of, founding_rows

from .conftest import Run

GIB = 2**30


@pytest.fixture(scope="module")
def case_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The founding incident as a case of rows."""
    path = tmp_path_factory.mktemp("case") / "founding.case.duckdb"
    case_of(founding_rows(), parent="qwen3-coder:30b", path=path).close()
    return path


@pytest.fixture
def three_rules(monkeypatch: pytest.MonkeyPatch, rules_dir: Path) -> Iterator[None]:
    """Only the rules that the founding incident is about: the whole pack takes longer and has its own tests."""
    from investigator.rulebook.load import load_rules

    names = ("prefill-outlasts-timeout", "window-capped-below-native", "prompt-cut-to-window")
    chosen = load_rules([rules_dir / f"{name}.yaml" for name in names])
    monkeypatch.setattr("investigator.pipeline.builtin_rules", lambda *_: chosen)
    yield


def told(run: Run, *args: str | Path) -> Any:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_fit_in_json(run: Run) -> None:
    made = told(run, "fit", "qwen3-coder:30b", "--machine", "M2 Ultra", "--memory", "64", "--timeout", "300")
    last = made["rows"][-1]
    assert (last["window_tokens"], last["kv_bytes"], last["verdict"]) == (262_144, 24 * GIB, "fits")
    assert last["limit_bytes"]["mid"] == 48 * GIB
    assert last["weights_bytes"] == {"low": 18.56e9, "mid": 18.56e9, "high": 18.56e9, "label": "measured"}
    assert made["largest_fitting_tokens"] == 262_144
    assert made["first_limit"]["kind"] == "timeout"
    assert (made["speed_basis"], last["read_verdict"]) == ("benchmark", "fails")


def test_fit_of_chosen_windows(run: Run) -> None:
    args = ("--ctx", "131072", "--ctx", "262144", "--kv-type", "q8_0", "--parallel", "2")
    made = told(run, "fit", "qwen3-coder:30b", *args)
    assert [row["kv_bytes"] / GIB for row in made["rows"]] == [12.75, 25.5]
    assert {row["verdict"] for row in made["rows"]} == {None}


def test_fit_for_a_reader(run: Run) -> None:
    text = run("fit", "qwen3-coder:30b", "--machine", "M2 Ultra", "--memory", "64").stdout
    assert "weights 17.3 GiB" in text
    assert "largest window that fits: 262,144 tokens" in text
    assert "first limit: 262,144 tokens (the model's own window)" in text
    (row,) = [line for line in text.splitlines() if line.startswith("262,144")]
    assert "24.0" in row and "44.9" in row  # GiB of cache, GB in all


def test_fit_from_a_case(run: Run, case_path: Path) -> None:
    made = told(run, "fit", "v-128k", "--case", case_path, "--timeout", "300")
    assert (made["origin"], made["speed_basis"], made["model_id"]) == ("case", "case", "qwen3-coder-30b-a3b")
    assert made["first_limit"]["tokens"] < 96_000 < made["first_limit"]["might_tokens"]


def test_what_if_tells_each_change_and_all_together(run: Run, case_path: Path, three_rules: None) -> None:
    made = told(run, "what-if", "--case", case_path, "--timeout", "900", "--num-ctx", "262144")
    (incident,) = made["incidents"]
    assert [(s["say"], s["verdict"], s["passing_calls"]) for s in incident["scenarios"]] == [
        ("limit 15 min", "fails", 0),
        ("window 262,144", "fails", 0),
        ("limit 15 min and window 262,144", "passes", 3),
    ]
    first = incident["scenarios"][-1]["attempts"][0]
    assert (first["tokens_to_read"], round(first["reading_s"]["mid"])) == (146_760, 673)


def test_what_if_without_a_change_tells_the_smallest_sets(run: Run, case_path: Path, three_rules: None) -> None:
    made = told(run, "what-if", "--case", case_path)
    minimal = [world for world in made["incidents"][0]["what_would_help"] if world["minimal"]]
    changes = [{change["lever"]: change["after"] for change in world["changes"]} for world in minimal]
    assert {"window_tokens": 262_144, "timeout_s": 900.0} in changes


def test_what_if_machines_says_first_that_no_purchase_is_enough(run: Run, case_path: Path, three_rules: None) -> None:
    text = run("what-if", "--case", case_path, "--machines").stdout
    assert " ".join(text.split()).find("No purchase fixes this incident by itself") > 0
    assert "Raspberry Pi 5" in text and "$4,699" in text
    made = told(run, "what-if", "--case", case_path, "--machines")
    spark = next(row for row in made["incidents"][0]["machines"]["rows"] if row["machine_id"] == "nvidia-dgx-spark")
    assert (spark["alone"], spark["with_window"], spark["confidence"]) == ("fails", "passes", "medium")


def test_what_if_hybrid(run: Run, case_path: Path, tmp_path: Path) -> None:
    made = told(run, "what-if", "--case", case_path, "--hybrid")["hybrid"]
    assert {share["place"]: share["calls"] for share in made["shares"]} == {"here": 2, "cloud": 3}
    assert {"devstral-2512", "gemini-2.5-pro"} <= {cloud["model_id"] for cloud in made["clouds"]}
    config = tmp_path / "own.toml"
    config.write_text('[private]\nsessions = ["s"]\n', encoding="utf-8")
    made = told(run, "what-if", "--case", case_path, "--hybrid", "--config", config)["hybrid"]
    assert {share["place"]: share["calls"] for share in made["shares"]} == {"here": 2, "private": 3}


def test_one_incident_can_be_chosen(run: Run, case_path: Path, three_rules: None) -> None:
    (incident,) = told(run, "what-if", "--case", case_path, "--timeout", "900")["incidents"]
    chosen = told(run, "what-if", "--case", case_path, "--timeout", "900", "--incident", incident["incident_id"][:6])
    assert chosen["incidents"][0]["incident_id"] == incident["incident_id"]
    result = run("what-if", "--case", case_path, "--timeout", "900", "--incident", "none")
    assert (result.exit_code, incident["incident_id"] in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("fit", "no-such-model"), 2, "investigator models WORD"),
        (("fit", "qwen3-coder:30b", "--machine", "M3 Ultra"), 2, "apple-m3-ultra-96"),
        (("fit", "qwen3-coder:30b", "--kv-type", "q3"), 2, "q8_0"),
        (("fit", "qwen3-coder:30b", "--config", "missing.toml"), 2, "cannot be read"),
        (("what-if", "--case", "missing.duckdb"), 3, "no such case file"),
        (("what-if", "--case", "x", "--prefix-cached", "much"), 2, "neither a number of tokens"),
    ],
)
def test_mistakes_are_told(run: Run, args: tuple[str, ...], code: int, words: str) -> None:
    result = run(*args)
    assert (result.exit_code, words in " ".join(result.stderr.split())) == (code, True), result.stderr


def test_the_catalogue_is_searched(run: Run) -> None:
    assert [machine["id"] for machine in told(run, "machines", "dgx")] == ["nvidia-dgx-spark"]
    assert [model["id"] for model in told(run, "models", "qwen3", "coder", "30b")] == ["qwen3-coder-30b-a3b"]
    assert {model["id"] for model in told(run, "models", "--cloud", "devstral")} == {
        "devstral-2512",
        "labs-devstral-small-2512",
    }
    assert "$4,699" in run("machines", "spark").stdout
    assert "24.0" in run("models", "qwen3-coder-30b").stdout


def test_own_entries_come_from_the_configuration_folder(run: Run, isolated_home: Path) -> None:
    folder = isolated_home / ".config" / "investigator"
    folder.mkdir(parents=True)
    entry = '[[machines]]\nid = "garage-box"\nkind = "discrete"\nmemory_gib = [48]\nbandwidth_gb_s = 900\n'
    (folder / "config.toml").write_text(entry, encoding="utf-8")
    assert [machine["id"] for machine in told(run, "machines", "garage")] == ["garage-box"]
    assert told(run, "fit", "qwen3-coder:30b", "--machine", "garage-box")["machine_id"] == "garage-box"
    (folder / "config.toml").write_text('[[machines]]\nid = "x"\n', encoding="utf-8")
    result = run("machines")
    assert (result.exit_code, "config.toml:1: " in result.stderr) == (2, True)
