"""The shared corpus as cases with known causes, and the whole tool run on each of them.

`INVESTIGATOR_SHARED/corpus` holds server logs (`ollama/NAME.log` with the label `NAME.yaml`) and agent runs
(`agents/<agent>/<scenario>/` with `truth.yaml`); `corpus/causes.yaml` is the vocabulary of both.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from investigator.yamltext import load as load_yaml

if TYPE_CHECKING:
    from investigator.diagnosis.model import Diagnosis
    from investigator.rulebook.pack import RuleSet

ROOT = Path(__file__).resolve().parents[1]
HEALTHY = "healthy"
#: What says the answer; the tool must not read it.
ANSWERS = ("truth.yaml", "wire.jsonl")
SERIOUS = frozenset({"medium", "high", "critical"})

Side = Literal["server logs", "agent runs"]


@dataclass(frozen=True, slots=True)
class CorpusCase:
    """A log file or a run's folder with its label.

    accepted: the label and the slugs that count as the same answer. confident: the label is sure, so that the case
    counts for the targets; what was injected into a run is always sure.
    """

    name: str
    side: Side
    location: Path
    cause: str
    accepted: frozenset[str]
    confident: bool


@dataclass(frozen=True, slots=True)
class IncidentSeen:
    title: str
    severity: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file that was read, with its account of lines."""

    path: str
    format: str
    lines: int
    facts: int
    noise: int
    foreign: int
    unrecognised: int
    shapes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What the tool said of a case.

    unread: (path, kind of problem). error: a traceback, everything else is then empty.
    """

    name: str
    verdict: str
    incidents: tuple[IncidentSeen, ...]
    files: tuple[FileSeen, ...]
    unread: tuple[tuple[str, str], ...]
    fired: tuple[str, ...]
    broken: tuple[str, ...]
    seconds: float
    error: str | None

    @property
    def ranked(self) -> tuple[str, ...]:
        """Causes in order, each once: incident by incident, each with its causes in order. No incident: `healthy`."""
        causes = dict.fromkeys(cause for incident in self.incidents for cause in incident.causes)
        return tuple(causes) if self.incidents else (HEALTHY,)

    @property
    def serious(self) -> tuple[IncidentSeen, ...]:
        return tuple(incident for incident in self.incidents if incident.severity in SERIOUS)


def shared_dir() -> Path:
    """INVESTIGATOR_SHARED, by default beside the repository. Raises FileNotFoundError when it holds no corpus."""
    path = (ROOT / os.environ.get("INVESTIGATOR_SHARED", "../shared")).resolve()
    if not (path / "corpus").is_dir():
        raise FileNotFoundError(f"{path} holds no corpus/: set INVESTIGATOR_SHARED")
    return path


def corpus_cases(shared: Path) -> tuple[CorpusCase, ...]:
    """All cases by name. Raises ValueError on a label that is not in the vocabulary."""
    corpus = shared / "corpus"
    slugs, near = _vocabulary(corpus / "causes.yaml")
    return (*_server_logs(corpus, slugs, near), *_agent_runs(corpus, slugs, near))


def _server_logs(corpus: Path, slugs: Mapping[str, str], near: Mapping[str, frozenset[str]]) -> Iterator[CorpusCase]:
    for log in sorted((corpus / "ollama").glob("*.log")):
        label = _read_yaml(log.with_suffix(".yaml"))
        cause = _slug(slugs, str(label["cause"]), log)
        yield CorpusCase(log.stem, "server logs", log, cause, near[cause], label["confidence"] == "high")


def _agent_runs(corpus: Path, slugs: Mapping[str, str], near: Mapping[str, frozenset[str]]) -> Iterator[CorpusCase]:
    for truth in sorted((corpus / "agents").glob("*/*/truth.yaml")):
        folder = truth.parent
        cause = _slug(slugs, str(_read_yaml(truth)["root_cause"]), truth)
        yield CorpusCase(f"{folder.parent.name}/{folder.name}", "agent runs", folder, cause, near[cause], True)


def _vocabulary(path: Path) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    """(slug or the truth files' word → slug, slug → slugs that count as right)."""
    entries = _read_yaml(path)
    slugs = {name: e["cause"] for e in entries for name in (e["cause"], *e.get("as", ()))}
    return slugs, {e["cause"]: frozenset({e["cause"], *e.get("near", ())}) for e in entries}


def _slug(slugs: Mapping[str, str], word: str, source: Path) -> str:
    if word not in slugs:
        raise ValueError(f"{source}: the cause {word!r} is not in causes.yaml")
    return slugs[word]


def _read_yaml(path: Path) -> Any:
    return load_yaml(path.read_text(encoding="utf-8"))


def run_case(case: CorpusCase) -> CaseResult:
    """The whole tool on one case, in this process. An exception becomes `error`."""
    from investigator.pipeline import investigate

    begin = time.perf_counter()
    try:
        with visible(case.location) as path:
            diagnosis = investigate([path], rules=_rules())
    except Exception:
        return failed(case, traceback.format_exc(), time.perf_counter() - begin)
    return summarise(case.name, diagnosis, time.perf_counter() - begin)


@cache
def _rules() -> RuleSet:
    """The built-in pack, read once per process."""
    from investigator.pipeline import builtin_rules

    return builtin_rules()


@contextmanager
def visible(location: Path) -> Iterator[Path]:
    """The log itself, or a copy of the run's folder that lacks what says the answer."""
    if location.is_file():
        yield location
        return
    with TemporaryDirectory(prefix="corpus-") as folder:
        copy = Path(folder) / location.name
        shutil.copytree(location, copy, ignore=shutil.ignore_patterns(*ANSWERS))
        yield copy


def failed(case: CorpusCase, error: str, seconds: float) -> CaseResult:
    """The result of a case that ended without a diagnosis."""
    return CaseResult(case.name, "none", (), (), (), (), (), seconds, error)


def summarise(name: str, diagnosis: Diagnosis, seconds: float) -> CaseResult:
    """What is scored of a diagnosis."""
    incidents = (IncidentSeen(i.title, i.severity, tuple(c.cause for c in i.causes)) for i in diagnosis.incidents)
    return CaseResult(
        name=name,
        verdict=diagnosis.verdict.kind,
        incidents=tuple(incidents),
        files=tuple(
            FileSeen(f.path, f.format, f.lines, f.facts, f.noise, f.foreign, f.unrecognised, f.shapes)
            for f in diagnosis.inputs
        ),
        unread=tuple((problem.path, problem.kind) for problem in diagnosis.problems),
        fired=tuple(rule.rule for rule in diagnosis.rules if rule.outcome == "fired"),
        broken=tuple(rule.rule for rule in diagnosis.rules if rule.outcome == "error" or rule.counts.get("error")),
        seconds=seconds,
        error=None,
    )
