"""The hand-made cases, as fixtures: a test module cannot import its neighbour under importlib mode."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from investigator.diagnosis.model import Diagnosis, EvidenceLine, InputProblem, Verdict


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module sample.py."""
    return _neighbour("sample")


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    """The module secret_corpus.py."""
    return _neighbour("secret_corpus")


@pytest.fixture(scope="session")
def secret_logs() -> ModuleType:
    """The module secret_logs.py."""
    return _neighbour("secret_logs")


@pytest.fixture(scope="session")
def payloads() -> list[str]:
    """At least 200 texts that want to be more than text."""
    found: list[str] = _neighbour("payloads").payloads()
    return found


def _neighbour(stem: str) -> ModuleType:
    name = f"report_{stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{stem}.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """What the tests take from npm, installed from the lock on first use; skipped without npm, a failure in CI."""
    folder = Path(__file__).with_name("axe")
    modules = folder / "node_modules"
    if not (modules / "axe-core" / "axe.min.js").is_file():
        npm = shutil.which("npm")
        command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--legacy-peer-deps"]
        done = npm and subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
        if not done or done.returncode:
            reason = done.stderr.decode("utf-8", "replace")[-300:] if done else "npm is not installed"
            if os.environ.get("CI", "").lower() == "true":
                pytest.fail(f"{reason} (CI=true: nothing may be skipped for want of it)")
            pytest.skip(reason)
    return modules


@pytest.fixture(scope="session")
def leaky(sample: ModuleType, corpus: ModuleType) -> Diagnosis:
    """A diagnosis with the whole corpus around a line that it cites, and secrets wherever else foreign text is shown."""
    base = sample.diagnosis()
    texts = [line for _, _, line in corpus.lines(corpus.planted())]
    cited = base.incidents[0].findings[0].evidence[0]
    key = next(
        key for key, line in base.evidence.items() if (line.source, line.line_no) == (cited.source, cited.line_no)
    )
    around = tuple(enumerate(texts, 1))
    line = EvidenceLine(cited.source, cited.line_no, texts[0], around[:250], around[250:], "kept")
    incident = replace(
        base.incidents[0],
        differential=tuple(
            replace(h, evidence_against=(*h.evidence_against, text))
            for h, text in zip(base.incidents[0].differential, texts, strict=False)
        ),
        fixes=tuple(
            replace(f, text=f"{f.text}\n{text}") for f, text in zip(base.incidents[0].fixes, texts, strict=False)
        ),
    )
    return replace(
        base,
        verdict=Verdict(base.verdict.kind, f"{base.verdict.sentence} {texts[1]}"),
        incidents=(incident,),
        evidence={**base.evidence, key: line},
        problems=tuple(InputProblem(f"/home/amoon42/{n}", "unreadable", text) for n, text in enumerate(texts[:50])),
    )  # fmt: skip
