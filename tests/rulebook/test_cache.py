"""Checked rules are the same from the cache, and the cache is never trusted more than the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from investigator.resources import rules_dir
from investigator.rulebook import cache, check
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet


def load(folder: Path, kept: Path) -> RuleSet:
    return load_rules([folder], cache_folder=kept)


@pytest.fixture
def pack(tmp_path: Path, example_text: str) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "prefill-example.yaml").write_text(example_text, encoding="utf-8")
    return folder


def no_checking(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a rule was checked again")

    monkeypatch.setattr(check.Checker, "compile", fail)


def test_built_in_rules_are_the_same_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their tests: the suite itself reads them so."""
    fresh = load(rules_dir(), tmp_path)
    no_checking(monkeypatch)
    assert load(rules_dir(), tmp_path) == fresh


@pytest.mark.parametrize(
    "old_new", [("severity: high", "severity: low"), ("verdict: read_time >", "verdict: read_time >=")]
)
def test_a_changed_file_is_checked(pack: Path, tmp_path: Path, old_new: tuple[str, str]) -> None:
    before = load(pack, tmp_path / "kept")
    file = pack / "prefill-example.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(*old_new), encoding="utf-8")
    assert load(pack, tmp_path / "kept") == load_rules([pack]) != before


def test_a_bad_rule_is_told_each_time(pack: Path, tmp_path: Path) -> None:
    (pack / "bad.yaml").write_text("schema: 1\n", encoding="utf-8")
    first, second = (load(pack, tmp_path / "kept") for _ in range(2))
    assert first.problems and [str(p) for p in first.problems] == [str(p) for p in second.problems]
    assert [rule.id for rule in second.rules] == ["prefill-example"]


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x82\xa8language\xa1x\xa5rules\x80"])
def test_a_damaged_cache_is_made_anew(
    pack: Path, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    fresh = load(pack, kept)
    (file,) = kept.iterdir()
    file.write_bytes(content)
    assert load(pack, kept) == fresh
    no_checking(monkeypatch)
    assert load(pack, kept) == fresh


def test_another_version_of_the_language(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(pack, tmp_path / "kept")
    monkeypatch.setattr(cache, "language", lambda: "later")
    no_checking(monkeypatch)
    with pytest.raises(AssertionError, match="checked again"):
        load(pack, tmp_path / "kept")


def test_a_folder_that_cannot_be_written(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file", encoding="utf-8")
    assert len(load(pack, tmp_path / "kept").rules) == 1
