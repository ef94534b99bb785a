"""Finding the entry that a log or a user means, and nothing when that is not clear."""

from __future__ import annotations

import pytest

from investigator.catalog import (
    find_agent_windows,
    find_machine,
    find_machines,
    find_model,
    find_models,
    ollama_default_slots,
    ollama_default_window_tokens,
)


@pytest.mark.parametrize(
    ("text", "model_id"),
    [
        ("qwen3-coder:30b", "qwen3-coder-30b-a3b"),
        ("qwen3-coder", "qwen3-coder-30b-a3b"),
        ("registry.ollama.ai/library/qwen3-coder:latest", "qwen3-coder-30b-a3b"),
        ("qwen3-coder:30b-a3b-fp16", "qwen3-coder-30b-a3b"),
        ("llama3.1:8b-instruct-q8_0", "llama3.1-8b"),
        ("Qwen3-Coder-30B-A3B-Instruct", "qwen3-coder-30b-a3b"),
        ("Qwen3 Coder 30B A3B Instruct", "qwen3-coder-30b-a3b"),
        ("unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF", "qwen3-coder-30b-a3b"),
        ("Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf", "qwen3-coder-30b-a3b"),
        ("Qwen3.6-35B-A3B-UD-Q4_K_XL.gguf", "qwen3.6-35b-a3b"),
        ("Meta-Llama-3.1-8B-Instruct", "llama3.1-8b"),
        ("Meta Llama 3.1 8B Instruct", "llama3.1-8b"),
        ("Meta_Llama_3.1_8b_it", "llama3.1-8b"),
        ("DeepSeek R1", "deepseek-r1-671b"),
        ("DeepSeek R1 BF16", "deepseek-r1-671b"),
        ("Kimi K2 Instruct Bf16 Safetensors", "kimi-k2"),
        ("GLM-4-9B-0414", "glm-4-9b-0414"),
        ("gemma-3-27b-it-Q4_K_M.gguf", "gemma3-27b"),
        ("gpt-oss-120b", "gpt-oss-120b"),
        ("minimax-m2", "minimax-m2.7"),
    ],
)
def test_one_model_is_meant(text: str, model_id: str) -> None:
    model = find_model(text)
    assert model is not None
    assert model.id == model_id


@pytest.mark.parametrize("text", ["v-128k", "", " ", "qwen3moe", "gpt-oss:999b", "llama", "qwen3"])
def test_no_single_model_is_meant(text: str) -> None:
    found = find_model(text)
    assert found is None or text in {tag.split(":")[0] for tag in found.tags}


def test_an_architecture_lists_its_models() -> None:
    assert {model.id for model in find_models("qwen3next")} == {"qwen3-coder-next-80b-a3b", "qwen3-next-80b-a3b"}


@pytest.mark.parametrize(
    ("text", "memory_gib", "machine_id"),
    [
        ("Apple M2 Ultra", 64, "apple-m2-ultra"),
        ("M2 Ultra", None, "apple-m2-ultra"),
        ("Apple M2", None, "apple-m2"),
        ("Mac Studio M3 Ultra", 512, "apple-m3-ultra-512"),
        ("Mac Studio M5 Ultra", 256, "apple-m5-ultra-256"),
        ("Apple M4 Max", 128, "apple-m4-max-128"),
        ("Mac mini M4", None, "apple-m4"),
        ("NVIDIA GeForce RTX 4090", 23.5, "nvidia-rtx-4090"),
        ("NVIDIA GeForce RTX 3080 Ti", None, "nvidia-rtx-3080-ti"),
        ("NVIDIA GB10", 119.7, "nvidia-dgx-spark"),
        ("DGX Spark", None, "nvidia-dgx-spark"),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", None, "amd-strix-halo-128"),
        ("Framework Desktop", 128, "amd-strix-halo-128"),
        ("ROG Flow Z13", None, "amd-strix-halo-128"),
        ("AMD Radeon RX 7900 XTX", 24, "amd-7900-xtx"),
        ("dual RX 7900 XTX", 48, "threadripper-2x7900xtx"),
        ("AMD Instinct MI300X", None, "amd-mi300x"),
        ("Raspberry Pi 5 Model B Rev 1.0", 8, "rpi5-16"),
        ("rpi5-16", None, "rpi5-16"),
    ],
)
def test_one_machine_is_meant(text: str, memory_gib: float | None, machine_id: str) -> None:
    machine = find_machine(text, memory_gib)
    assert machine is not None
    assert machine.id == machine_id


@pytest.mark.parametrize(
    ("text", "memory_gib"),
    [
        ("NVIDIA GeForce RTX 4080 SUPER", None),
        ("NVIDIA GeForce RTX 5090 Laptop GPU", None),
        ("Apple M2 Ultra", 40),
        ("Apple M3 Ultra", None),
        ("Mac mini", None),
        ("", None),
    ],
)
def test_no_single_machine_is_meant(text: str, memory_gib: float | None) -> None:
    assert find_machine(text, memory_gib) is None


def test_machines_that_share_a_chip_are_listed() -> None:
    found = [machine.id for machine in find_machines("Apple M3 Ultra")]
    assert found == ["apple-m3-ultra-96", "apple-m3-ultra-256", "apple-m3-ultra-512"]


@pytest.mark.parametrize(
    ("version", "vram_gib", "tokens"),
    [
        ("0.5.12", 80, 2048),
        ("0.6.7", 80, 4096),
        ("0.15.4", None, 4096),
        ("v0.15.5", 48, 262_144),
        ("0.15.6", 47, 262_144),
        ("0.15.6", 46.9, 32_768),
        ("0.15.6", 23, 32_768),
        ("0.15.6", 22.9, 4096),
        ("0.15.6", 0, 4096),
        ("0.15.6", None, None),
        ("unknown", 48, None),
    ],
)
def test_default_window_of_a_release(version: str, vram_gib: float | None, tokens: int | None) -> None:
    assert ollama_default_window_tokens(version, vram_gib) == tokens


@pytest.mark.parametrize(
    ("version", "slots"),
    [("0.1.32", ()), ("0.1.48", (1,)), ("0.2.0", (4, 1)), ("0.6.7", (2, 1)), ("0.10.0", (1,)), ("dev", ())],
)
def test_default_slots_of_a_release(version: str, slots: tuple[int, ...]) -> None:
    assert ollama_default_slots(version) == slots


def test_windows_of_an_agent() -> None:
    assert {window.id for window in find_agent_windows("openclaw")} >= {
        "openclaw-native-2026.2",
        "openclaw-openai-compat",
    }
    assert find_agent_windows("") == ()
