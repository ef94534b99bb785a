"""Ollama's server log, with the lines of its runners in between (eras A–F)."""

from __future__ import annotations

from investigator.formats.textformat import TextFormat

OLLAMA_SERVER = TextFormat(
    id="ollama-server",
    title="Ollama server log",
    versions="0.0.18–0.33; verified most closely on 0.12–0.24",
    pattern_files=("ollama-server.yaml", "llama-cpp.yaml"),
    marks={
        b"[GIN] 20": 0.95,
        b' msg="Listening on ': 0.95,
        b"OLLAMA_HOST:http": 0.9,
        b" routes.go:": 0.8,
        b" images.go:": 0.6,
        b" llama.go:": 0.6,
        b" source=sched.go:": 0.9,
        b" source=routes.go:": 0.9,
        b" source=server.go:": 0.85,
        b" source=runner.go:": 0.85,
        b" source=llama_server.go:": 0.85,
        b"ollama_llama_server": 0.8,
        b"/.ollama/id_ed25519": 0.6,
        b"[GIN] ": 0.6,
        b"Error: listen tcp ": 0.6,
        b"Error: model ": 0.4,
        b"ollama.service: ": 0.5,
        b' msg="': 0.4,
    },
    own_programs=r"(?i)ollama|llama",
)
