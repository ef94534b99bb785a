"""The log of a stand-alone llama-server."""

from __future__ import annotations

from investigator.formats.textformat import TextFormat

LLAMA_SERVER = TextFormat(
    id="llama-server",
    title="llama-server log (llama.cpp)",
    versions="llama.cpp 2024-02 to 2026-09",
    pattern_files=("llama-server.yaml", "llama-cpp.yaml"),
    marks={
        b" llama_server: ": 0.8,
        b"srv  ": 0.7,
        b"slot ": 0.5,
        b"print_info: ": 0.5,
        b"llama_context: ": 0.5,
        b"llama_model_loader: ": 0.5,
        b"load_tensors: ": 0.4,
        b"ggml_": 0.3,
        b"llama_model_load": 0.3,
        b"GGML_ASSERT": 0.3,
        b"gguf_init_from_file": 0.3,
        b"CUDA error": 0.3,
        b"ROCm error": 0.3,
        b"cudaMalloc failed": 0.3,
    },
    own_programs=r"(?i)llama|server",
    against=(b"[GIN] 20", b" source=routes.go:", b" source=server.go:", b" source=sched.go:", b" source=runner.go:"),
)
