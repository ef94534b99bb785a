"""The agents' own files of the shared corpus: recognised, understood, and every run leaves facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from investigator.formats.agents import AGENT_FORMATS
from investigator.formats.base import Parsed, SourceInfo
from investigator.formats.registry import recognise
from investigator.sources.streams import ChunkReader, SourceStream
from tests.formats.agent_samples import adds_up

AGENT_IDS = {fmt.id for fmt in AGENT_FORMATS}
#: Answers and the server's side.
NOT_THE_AGENTS = {"truth.yaml", "wire.jsonl", "llama-server.log"}
#: Ended from outside before an answer was written; no log of HTTP requests was kept.
SILENT = {"pi/stall_default", "openclaw/server_killed_mid_stream"}
#: What each agent's files must say of the fault that was injected: any of these classes.
VISIBLE = {
    "conn_refused": {"connection_refused", "connection_error"},
    "context_overflow": {"context_overflow"},
    "http_500": {"server_error"},
    "model_not_found": {"model_not_found"},
    "retry_storm": {"connection_reset", "connection_error"},
}


def _read(run: Path) -> Iterator[tuple[str, Parsed]]:
    for path in sorted(run.rglob("*")):
        if not path.is_file() or path.name in NOT_THE_AGENTS:
            continue
        with SourceStream(path) as stream:
            found = recognise(stream.head(), str(path.relative_to(run))).format
            if found is None or found.id not in AGENT_IDS:
                continue
            parser, chunks = found.parser(SourceInfo(1, str(path.relative_to(run)))), ChunkReader(stream)
            while chunk := chunks.read():
                parsed = parser.feed(chunk)
                chunks.consumed(parsed.consumed_bytes)
                yield found.id, parsed


def _runs(shared: Path, agent: str) -> list[Path]:
    return sorted(run for run in (shared / "corpus" / "agents" / agent).iterdir() if run.is_dir())


AGENTS = ("openclaw", "pi", "claude-code", "opencode", "cline", "aider", "otel-openai-sdk")


@pytest.mark.parametrize("agent", AGENTS)
def test_some_runs_of_an_agent_are_understood(shared: Path, agent: str) -> None:
    check(agent, _runs(shared, agent)[::2])


@pytest.mark.slow
@pytest.mark.parametrize("agent", AGENTS)
def test_runs_of_an_agent_are_understood(shared: Path, agent: str) -> None:
    check(agent, _runs(shared, agent))


def check(agent: str, runs: list[Path]) -> None:
    lines = understood = 0
    for run in runs:
        tables: Counter[str] = Counter()
        classes: Counter[str] = Counter()
        for _, parsed in _read(run):
            assert adds_up(parsed)
            lines += parsed.lines
            understood += parsed.lines - parsed.unrecognised.height
            for table, frame in parsed.facts.items():
                tables[table] += frame.height
                if table in ("agent_call", "agent_error", "agent_http"):
                    classes.update(frame["error_class"].drop_nulls().to_list())
        name = f"{agent}/{run.name}"
        assert tables["agent_call"] + tables["agent_http"] or name in SILENT, name
        expected = VISIBLE.get(run.name, set())
        assert not expected or expected & set(classes), (name, classes)
    assert understood == lines, f"{lines - understood} of {lines} lines are not understood"
