"""Ollama Modelfiles: what a model definition starts from and which window it sets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from investigator.formats.base import Side, SourceInfo
from investigator.formats.document import DocumentParser, Text
from investigator.formats.rows import At, Rows

_COMMANDS = (
    "FROM",
    "PARAMETER",
    "TEMPLATE",
    "SYSTEM",
    "ADAPTER",
    "LICENSE",
    "MESSAGE",
    "RENDERER",
    "PARSER",
    "REQUIRES",
)
_COMMAND = re.compile(rf"\s*({'|'.join(_COMMANDS)})\s+(\S.*)", re.I)
_NUM_CTX = re.compile(r"num_ctx\s+(\d{1,12})\s*$", re.I)
#: `ollama show --modelfile` prints this above the definition: the model's own name, to build further ones on.
_OWN_NAME = re.compile(r"#\s*FROM\s+(\S+)")


def _commands(text: Text) -> list[tuple[At, str, str]]:
    """Commands with their rest; lines inside a text in triple quotes are no commands."""
    found: list[tuple[At, str, str]] = []
    quoted = False
    for at, line in text.lines():
        if not quoted and (match := _COMMAND.match(line)):
            found.append((at, match.group(1).upper(), match.group(2).strip()))
        quoted ^= line.count('"""') % 2 == 1
    return found


class ModelfileReader:
    def read(self, document: Text, rows: Rows) -> At | None:
        commands = _commands(document)
        parent = next((rest for _, command, rest in commands if command == "FROM"), None)
        named = next((m.group(1) for _, line in document.lines() if (m := _OWN_NAME.match(line))), None)
        sizes = [
            (at, int(match.group(1)))
            for at, command, rest in commands
            if command == "PARAMETER" and (match := _NUM_CTX.match(rest))
        ]
        places = [at for at, command, _ in commands if command == "FROM"]
        at, num_ctx = sizes[-1] if sizes else (places[0] if places else None, None)
        if at is not None:
            rows.add(
                "model_spec",
                at,
                origin="modelfile",
                model_name=named,
                parent_model=parent,
                num_ctx_tokens=num_ctx,
            )
        return None


@dataclass(frozen=True, slots=True)
class ModelfileFormat:
    id: str = "modelfile"
    title: str = "Ollama Modelfile"
    side: Side = "snapshot"
    versions: str = "all"

    def recognise(self, head: bytes, path: str) -> float:
        lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
        telling = [line for line in lines if not line.lstrip().startswith("#")]
        if not telling or not re.match(r"\s*FROM\s+\S+(\s*)$", telling[0], re.I):
            return 0.0
        # A Dockerfile starts the same way; it goes on with RUN, COPY, CMD …
        if any(re.match(r"\s*(RUN|COPY|CMD|WORKDIR|ENTRYPOINT|ENV|EXPOSE|ADD)\s", line) for line in telling[1:]):
            return 0.0
        others = sum(1 for line in telling[1:] if _COMMAND.match(line))
        return 0.95 if others else 0.8 if "modelfile" in path.lower() else 0.4

    def parser(self, info: SourceInfo) -> DocumentParser:
        return DocumentParser(info, ModelfileReader())
