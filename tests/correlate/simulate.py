"""A seeded world of agents and one server: facts of both sides, with the pairs that are true.

The server is an Ollama with access lines in whole seconds, or a llama-server whose times count from its start. Agents
work at the same time, retry behind their own backs, are cut by limits, and lines get lost on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from build import Case

#: begin and end in seconds of the true clock, record id of the call, prompt tokens, failed
Event: TypeAlias = tuple[float, float, str, int, bool]
#: seconds, order among equal seconds, record id (of the line that stands for the request), table, columns
Line: TypeAlias = tuple[float, int, str, str, dict[str, object]]

START = datetime(2026, 3, 2, 8, 0, 0)


@dataclass
class World:
    """What happens. `skew_s`: agents' clock minus the server's; `drift`: seconds gained per second."""

    seed: int = 1
    agents: int = 1
    calls: int = 60
    skew_s: float = 0.0
    drift: float = 0.0
    relative: bool = False
    lost: float = 0.0
    retries: float = 0.0
    cancels: float = 0.0
    tokens_known: bool = True
    pause_s: float = 30.0
    pairs: set[tuple[str, int]] = field(default_factory=set)

    def build(self) -> Case:
        """The case; afterwards `pairs` holds (record id of the call, line of the access line or launch)."""
        random = Random(self.seed)
        case = Case()
        server = case.source("server.log", "llama-server" if self.relative else "ollama-server")
        for number in range(self.agents):
            case.source(f"agent{number}.jsonl", "pi-session")
        events: list[Event] = []
        for number in range(self.agents):
            self._agent(case, random, number, events)
        if not self.relative:
            case.add("server_start", server, 1, f"{START.isoformat()}+00:00", engine="ollama", version="0.15.6")
        written: list[Line] = []
        for task, event in enumerate(sorted(events, key=lambda event: event[0])):
            if random.random() >= self.lost:
                written += self._relative_lines(task, event) if self.relative else self._access_line(event)
        for line, (seconds, _, record, table, columns) in enumerate(sorted(written, key=lambda w: w[:2]), start=10):
            case.add(
                table,
                server,
                line,
                40 + seconds if self.relative else (START + timedelta(seconds=seconds)).isoformat(),
                **columns,
            )
            if record:
                self.pairs.add((record, line))
        return case

    def _access_line(self, event: Event) -> list[Line]:
        begin, end, record, _, failed = event
        latency = float(int(end - begin)) if end - begin > 60 else end - begin
        return [(float(int(end)), int(1000 * end), record, "http_request", {
            "status": 500 if failed else 200, "latency_s": latency, "latency_step_s": 0.0, "client": "127.0.0.1",
            "method": "POST", "path": "/v1/chat/completions"})]  # fmt: skip

    def _relative_lines(self, task: int, event: Event) -> list[Line]:
        begin, end, record, tokens, failed = event
        common: dict[str, object] = {"slot": task % 8, "task": task}
        lines: list[Line] = [(begin, 0, record, "task_event", {"event": "launch", **common})]
        if failed:
            lines.append((end, 1, "", "request_cancel", {"stage": "task", "task": task}))
        else:
            for order, (phase, count) in enumerate(
                (("prefill", tokens), ("decode", 20), ("total", tokens + 20)), start=1
            ):
                lines.append(
                    (end, order, "", "prompt_timing", {"phase": phase, "tokens": count, "duration_s": 1.0, **common})
                )
        n_tokens = 0 if failed else tokens + 19
        lines.append(
            (end, 5, "", "task_event", {"event": "release", "n_tokens": n_tokens, "truncated": False, **common})
        )
        return lines

    def _agent(self, case: Case, random: Random, number: int, events: list[Event]) -> None:
        now = random.uniform(0, 20)
        tokens = 3000
        for index in range(self.calls):
            record = f"a{number}-{index}"
            begin, failed = now, random.random() < self.cancels
            tries = 3 if random.random() < self.retries else 1
            for try_no in range(tries):
                last = try_no == tries - 1
                length = 30.0 if failed or not last else random.uniform(1.5, 25)
                events.append((now + 0.02, now + 0.02 + length, record, tokens, failed or not last))
                now += 0.02 + length + (0.02 if last else random.uniform(0.4, 1.5))
            if random.random() >= self.lost:
                self._call(case, number, index, (begin, now), tokens, failed)
            now += random.expovariate(1 / self.pause_s) + 0.05
            tokens += random.randint(50, 700)

    def _seen(self, seconds: float) -> datetime:
        return START + timedelta(seconds=seconds + self.skew_s + self.drift * seconds)

    def _call(self, case: Case, number: int, index: int, span: tuple[float, float], tokens: int, failed: bool) -> None:
        begin, end = (self._seen(second) for second in span)
        case.add(
            "agent_call", f"agent{number}.jsonl", index + 2, f"{end.isoformat()}+00:00",
            agent="pi", session_id=f"s{number}", record_id=f"a{number}-{index}", provider="local", model="m",
            api="openai-completions", started_at=begin, ended_at=end, start_basis="measured",
            input_tokens=None if failed or not self.tokens_known else tokens, output_tokens=None if failed else 20,
            finish_reason="error" if failed else "stop", error_class="timeout" if failed else None,
            error_text="Request timed out." if failed else None,
        )  # fmt: skip
