"""--no-redact, --redact-rules, --redact-key and the formats, through the whole program on a small log."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from .conftest import Run

pytestmark = pytest.mark.usefixtures("few_rules")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A server log below a home folder that names its user, and another beside it."""
    folder = tmp_path / "home" / "amoon42"
    folder.mkdir(parents=True)
    path = folder / "server.log"
    path.write_text(
        'time=2026-02-18T11:10:22.981+01:00 level=INFO source=routes.go:1288 msg="Listening on 127.0.0.1:11434 (version 0.9.0)"\n'
        '[GIN] 2026/02/18 - 11:10:23 | 200 |  1.2s |       127.0.0.1 | POST     "/api/chat"\n',
        encoding="utf-8",
    )
    (tmp_path / "other.log").write_bytes(path.read_bytes())
    return path


@pytest.mark.parametrize("ending", ["html", "sarif"])
def test_user_names_are_masked_unless_told_otherwise(run: Run, log: Path, tmp_path: Path, ending: str) -> None:
    masked, open_ = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    assert (
        run("investigate", log.parents[1], log.parents[2] / "other.log", "--no-case", "-q", "-o", masked).exit_code == 0
    )
    assert (
        run(
            "investigate", log.parents[1], log.parents[2] / "other.log", "--no-case", "-q", "-o", open_, "--no-redact"
        ).exit_code
        == 0
    )
    assert "amoon42" not in masked.read_text() and "user-1" in masked.read_text()
    assert "amoon42" in open_.read_text()
    assert any(word in open_.read_text() for word in ("Not redacted", '"redaction": "off', "off: this report"))


def test_a_key_is_made_once_and_links_reports(run: Run, log: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    texts = []
    for name in ("a.json", "b.json"):
        assert (
            run(
                "investigate",
                log.parents[1],
                log.parents[2] / "other.log",
                "--no-case",
                "-q",
                "-o",
                tmp_path / name,
                "--redact-key",
                key,
            ).exit_code
            == 0
        )
        texts.append((tmp_path / name).read_text())
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and len(key.read_text().strip()) == 64
    assert texts[0] == texts[1] and json.loads(texts[0])["redaction"] == "keyed" and "[user-1]" not in texts[0]


def test_own_rules(run: Run, log: Path, tmp_path: Path) -> None:
    rules = tmp_path / "gitleaks.toml"
    rules.write_text("[[rules]]\nid = 'name'\nregex = 'server\\.(log)'\n", encoding="utf-8")
    done = run(
        "investigate",
        log.parents[1],
        log.parents[2] / "other.log",
        "--no-case",
        "-q",
        "-o",
        tmp_path / "a.json",
        "--redact-rules",
        rules,
    )
    assert done.exit_code == 0 and "server.[secret-1]" in (tmp_path / "a.json").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--no-redact", "--redact-key", "k"], "excludes"), (["--redact-rules", "none.toml"], "cannot be read"),
        (["--redact-key", "server.log"], "cannot be used"),
    ],
)  # fmt: skip
def test_wrong_options_are_told(
    run: Run, log: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(log.parent)
    done = run("investigate", log.parents[1], log.parents[2] / "other.log", "--no-case", *options)
    assert done.exit_code == 2 and words in done.output and not Path("k").exists()
