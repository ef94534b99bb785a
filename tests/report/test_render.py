"""Every format by its name: deterministic, held back when it leaks, printed where a browser is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from investigator.diagnosis.model import Diagnosis
from investigator.errors import DeliveryProblem
from investigator.report import FORMATS, Redaction, render
from investigator.report.pdf import find_browser, print_pdf

TEXTS = tuple(name for name in FORMATS if name != "pdf")


@pytest.mark.parametrize("format_", TEXTS)
def test_same_bytes_twice_in_any_zone(sample: ModuleType, monkeypatch: pytest.MonkeyPatch, format_: str) -> None:
    first = render(sample.several(), format_)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    assert render(sample.several(), format_) == first


@pytest.mark.parametrize("format_", TEXTS)
def test_a_leak_is_held_back_and_told_without_the_secret(
    leaky: Diagnosis, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr("investigator.report.redact.Redactor.mask", lambda self, text: text)
    with pytest.raises(DeliveryProblem, match="held back") as caught:
        render(leaky, format_)
    assert "in line" in str(caught.value) and not re.search(r"[-_][A-Za-z0-9]{12}|@", str(caught.value))
    assert render(leaky, format_, Redaction(on=False))


def test_no_browser_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sample: ModuleType) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_browser() is None
    with pytest.raises(DeliveryProblem, match="needs Chromium"):
        render(sample.empty(), "pdf")
    with pytest.raises(DeliveryProblem, match="did not print"):
        print_pdf("<p>x", "/nonexistent/chromium")


@pytest.mark.parametrize("script", ["exit 3", "echo broken >&2; exit 0"])
def test_a_browser_that_does_not_print_is_told(tmp_path: Path, script: str) -> None:
    fake = tmp_path / "chromium"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    with pytest.raises(DeliveryProblem, match=r"chromium did not print the report: (exit code 3|broken)"):
        print_pdf("<p>x", str(fake))


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium")
def test_paper_is_the_same_twice(sample: ModuleType) -> None:
    first, second = (render(sample.diagnosis(), "pdf") for _ in range(2))
    assert first.startswith(b"%PDF-") and first == second
