"""The samples of every format with secrets put where programs really write them, as files to read."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.formats import wrappings
from tests.formats.agent_samples import samples as agent_samples
from tests.formats.server_samples import SERVER_FORMATS, load_samples

#: How a server's log gets to its reader; the others only add stamps of another form.
TRANSPORTS = ("journald short-iso", "journald json", "journald export", "docker json-file", "compose -t", "CRI")

#: Keys whose values are whatever a user or a tool wrote; those of an agent's structure stay, or nothing would be read.
_FREE = frozenset({
    "text", "content", "thinking", "reasoning", "message", "msg", "error", "errorMessage", "output", "input", "arguments",
    "command", "cwd", "path", "file_path", "url", "baseUrl", "base_url", "api_base", "title", "summary", "body", "detail",
    "display", "reason", "log", "description", "result", "aggregated_output", "prompt", "stderr", "stdout",
})  # fmt: skip


class Planter:
    """Puts the next secret wherever there is room for one."""

    def __init__(self, corpus: ModuleType, each: int, seed: int = 0) -> None:
        self._secrets = cycle(corpus.planted(each, corpus.SEED + seed))
        self.put: dict[str, str] = {}

    def next(self, one_line: bool) -> str:
        """How the next secret is written; blocks as a program quotes them where a line has to stay one."""
        secret = next(self._secrets)
        self.put[secret.value.split("\n")[1] if "\n" in secret.value else secret.value] = secret.kind
        text = str(secret.text)
        return text.replace("\n", "\\n") if one_line else text

    def text(self, text: str) -> str:
        """A sample with secrets: in the free texts of JSON, in quoted texts and at the ends of other lines."""
        try:
            return json.dumps(self.value(json.loads(text)), indent=2)
        except ValueError:
            return "\n".join(map(self.line, text.split("\n")))

    def line(self, line: str) -> str:
        if line.lstrip().startswith("{"):
            try:
                return json.dumps(self.value(json.loads(line)))
            except ValueError:
                return line
        if match := re.search(r'(msg|error|err)="', line):
            return f"{line[: match.end()]}{self.quoted()} {line[match.end() :]}"
        # Settings have no room for more; a line of prose has.
        return f"{line} {self.next(one_line=True)}" if line.strip() and re.search(r"\w [a-z]+ [a-z]", line) else line

    def quoted(self) -> str:
        return json.dumps(self.next(one_line=False))[1:-1]

    def value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self.value(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, key) for inner in value]
        return f"{value} {self.next(one_line=False)}" if isinstance(value, str) and key in _FREE else value


def logs(
    planter: Planter, transports: tuple[str, ...] = TRANSPORTS, most: int | None = None
) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every sample of every format; of agents' formats at most `most` samples each."""
    seen: Counter[str] = Counter()
    for number, sample in enumerate(agent_samples()):
        seen[sample.format.id] += 1
        if most is not None and seen[sample.format.id] > most:
            continue
        name = Path(sample.path).name or "sample"
        yield f"agents/{number:03}-{sample.format.id}/{name}", planter.text(sample.text).encode()
    for format_ in SERVER_FORMATS:
        bare = [planter.line(line) for sample in load_samples(format_) for line in sample.text.splitlines()]
        yield f"servers/{format_}/server.log", "\n".join(bare).encode() + b"\n"
        for name in transports:
            lines = [
                planter.line(line).encode() for sample in load_samples(format_) for line in sample.text.splitlines()
            ]
            yield f"servers/{format_}/{name.replace(' ', '-')}.log", wrappings.WRAPPINGS[name](lines).data
