"""A user's own entries: they come first, and what is wrong in them is told with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from investigator.errors import ConfigProblem, UsageProblem
from investigator.planning import (
    Privacy,
    budget_of,
    load_catalogue,
    machines_of_interest,
    needs_of,
    search_machines,
    search_models,
)

OWN = """
[[machines]]
id = "garage-box"
name = "Garage box"
aliases = ["garage box"]
kind = "discrete"
cards = 2
memory_gib = [16]
bandwidth_gb_s = 500
price_usd = {amount = 900, date = "2026-10", verified = true}

[[models]]
id = "house-model"
tags = ["house:7b"]
parameters_b = {total = 7.0, active = 7.0}
native_window_tokens = 65536
layers = 32
attention = {layers = 32, kv_heads = 8, head_dim_k = 128, head_dim_v = 128}
weights = [{quant = "Q4_K_M", listed_gb = 4.4}]

[[cloud_models]]
id = "house-cloud"
name = "House cloud"
window_tokens = 500000
price_usd_per_mtok = {input = 1.0, output = 2.0}
date = "2026-10"

[private]
paths = ["*/secret/*"]
sessions = ["s-1"]

[scan]
folders = ["belongs to another command"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_entries_can_be_used(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path, OWN))
    assert len(budget_of(catalogue.machine("Garage box")).limits) == 2
    assert needs_of(catalogue.model("house:7b")).native_window_tokens == 65_536
    assert catalogue.cloud_models[0].cost_usd(1_000_000, 500_000) == 2.0
    assert catalogue.privacy == Privacy(paths=("*/secret/*",), sessions=("s-1",))
    assert machines_of_interest(catalogue)[0][0].id == "garage-box"
    assert catalogue.model("qwen3-coder:30b").id == "qwen3-coder-30b-a3b"


def test_an_own_entry_replaces_a_built_in_one(tmp_path: Path) -> None:
    text = '[[machines]]\nid = "nvidia-dgx-spark"\nkind = "dgx_spark"\nmemory_gib = [256]\nbandwidth_gb_s = 300\n'
    catalogue = load_catalogue(written(tmp_path, text))
    assert catalogue.machine("nvidia-dgx-spark").bandwidth_gb_s == 300
    assert sum(machine.id == "nvidia-dgx-spark" for machine in catalogue.machines) == 1


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ('[[machines]]\nid = "a"\n', "key 'kind' is missing", 1),
        ('\n\n[[machines]]\nid = "a"\nkind = "abacus"\nbandwidth_gb_s = 1\n', "abacus", 3),
        ('[[machines]]\nid="a"\nkind="cpu"\nbandwidth_gb_s=1\nmemory_gib=[1]\ncolour="red"\n', "colour", 1),
        ("[[models]]\n", "key 'weights' is missing", 1),
        ("[private]\nfiles = []\n", "paths, sessions, agents", 1),
        ('[private]\npaths = "all"\n', "lists of texts", 1),
        ("a = \n", "not TOML", 1),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, message: str, line: int) -> None:
    with pytest.raises(ConfigProblem, match=message) as caught:
        load_catalogue(written(tmp_path, text))
    assert caught.value.line == line and caught.value.hint


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="cannot be read"):
        load_catalogue(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("dgx", {"nvidia-dgx-spark"}), ("strix 128", {"amd-strix-halo-128"}), ("mac mini m6", {"apple-m6"})],
)
def test_machines_are_found_by_words(words: str, expected: set[str]) -> None:
    assert {machine.id for machine in search_machines(load_catalogue(), words)} == expected


def test_models_are_found_by_words() -> None:
    found = {model.id for model in search_models(load_catalogue(), "qwen3 coder 30b")}
    assert found == {"qwen3-coder-30b-a3b"}
    assert search_models(load_catalogue(), "") == load_catalogue().models


def test_a_name_that_means_several_lists_them() -> None:
    with pytest.raises(UsageProblem, match="several") as caught:
        load_catalogue().machine("M3 Ultra")
    assert "apple-m3-ultra-96" in str(caught.value)


def test_cloud_models_of_the_seed_have_window_price_and_date() -> None:
    clouds = {model.id: model for model in load_catalogue().cloud_models}
    devstral, gemini = clouds["devstral-2512"], clouds["gemini-2.5-pro"]
    assert (devstral.window_tokens, gemini.window_tokens) == (262_144, 1_048_576)
    assert devstral.cost_usd(1e6, 1e6) == pytest.approx(2.40)
    assert gemini.cost_usd(146_760, 0) == pytest.approx(0.18345)
    assert gemini.cost_usd(300_000, 0) == pytest.approx(0.75)  # the rate of long prompts
    assert clouds["labs-devstral-small-2512"].cost_usd(1, 1) is None
    assert all(model.date and model.sources for model in clouds.values())


def test_the_example_of_the_readme_is_read(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    catalogue = load_catalogue(written(tmp_path, example))
    assert catalogue.own_machines == ("garage-box",) and catalogue.privacy.sessions == ("payroll-*",)


def test_a_project_may_keep_them_in_its_pyproject(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    text = '[[tool.investigator.machines]]\nid = "den"\nkind = "unified"\nmemory_gib = [96]\nbandwidth_gb_s = 400\n'
    path.write_text(text + '[tool.investigator.private]\nsessions = ["s*"]\n', encoding="utf-8")
    catalogue = load_catalogue(path)
    assert catalogue.own_machines == ("den",) and catalogue.privacy.sessions == ("s*",)
    path.write_text(text.replace('kind = "unified"', 'kind = "fridge"'), encoding="utf-8")
    with pytest.raises(ConfigProblem) as caught:
        load_catalogue(path)
    assert caught.value.line == 1
