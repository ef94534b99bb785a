"""Find the entry that a log, a transcript or a user means.

A lookup answers only when one entry is meant: an unknown or ambiguous text gives None, never a near miss. The plural
forms list all candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from .loader import load_context_defaults, load_machines, load_models
from .records import AgentWindow, Machine, ModelSpec
from .versions import find_release

#: Words that make another product of the same name (RTX 4080 and RTX 4080 SUPER).
_VARIANTS = frozenset(
    {"ti", "super", "laptop", "mobile", "max", "ultra", "pro", "plus", "xt", "xtx", "gre", "ada", "d", "se", "max-q"}
    | {"2x", "4x", "dual"}
)


def find_model(text: str, among: Sequence[ModelSpec] | None = None) -> ModelSpec | None:
    """The model of an id, a library tag, a Hugging Face or file name, or an architecture that only one model has.

    `among`: other entries than the catalogue's, such as the catalogue with a user's own.
    """
    found = find_models(text, among)
    return found[0] if len(found) == 1 else None


def find_models(text: str, among: Sequence[ModelSpec] | None = None) -> tuple[ModelSpec, ...]:
    """All models that `text` may mean, from the strictest reading that fits any: tag, name, architecture."""
    models, wanted = load_models() if among is None else among, text.strip().lower()
    if not wanted:
        return ()
    readings = (
        [m for m in models if wanted == m.id or _tag(wanted) in map(_tag, m.tags)],
        _by_longer_tag(models, wanted),
        [m for m in models if _plain_name(wanted) in {_plain_name(m.hf), _plain_name(m.id)}],
        [m for m in models if wanted in m.architectures],
    )
    return tuple(next(filter(None, readings), []))


def find_machine(text: str, memory_gib: float | None = None, among: Sequence[Machine] | None = None) -> Machine | None:
    """The machine of a device line or a product name (`Apple M2 Ultra`, `NVIDIA GeForce RTX 3090`).

    `memory_gib` tells apart machines that share a chip; None if the text, or its memory, still means several.
    """
    found = find_machines(text, memory_gib, among)
    return found[0] if len(found) == 1 else None


def find_machines(
    text: str, memory_gib: float | None = None, among: Sequence[Machine] | None = None
) -> tuple[Machine, ...]:
    """All machines with the longest alias whose words are all in `text`, and with that memory if it is given."""
    machines = load_machines() if among is None else among
    exact = tuple(machine for machine in machines if text.strip().lower() == machine.id)
    if exact:
        return exact
    words = _words(text)
    lengths = {machine: _match_length(machine, words) for machine in machines}
    longest = max(lengths.values(), default=0)
    found = [machine for machine, length in lengths.items() if length == longest and longest > 0]
    return tuple(machine for machine in found if _has_memory(machine, memory_gib))


def find_agent_windows(agent: str) -> tuple[AgentWindow, ...]:
    """What is known of an agent's window, one entry per range of versions or kind of route."""
    wanted = agent.strip().lower()
    return tuple(each for each in load_context_defaults().agents if wanted and wanted in each.agent.lower())


def ollama_default_window_tokens(version: str, vram_gib: float | None) -> int | None:
    """Default `num_ctx` of a release; None when the version, or the VRAM that it looks at, is unknown.

    VRAM is the total over cards at start; 0 for CPU only.
    """
    number = find_release(version)
    if number is None:
        return None
    rule = next(each for each in load_context_defaults().ollama_windows if number >= each.since)
    if len(rule.by_vram_gib) == 1:
        return rule.by_vram_gib[0][1]
    if vram_gib is None:
        return None
    return next(tokens for from_gib, tokens in rule.by_vram_gib if vram_gib >= from_gib)


def ollama_default_slots(version: str) -> tuple[int, ...]:
    """Default `OLLAMA_NUM_PARALLEL`: the numbers tried in turn, the first that fits is taken. Empty if not known."""
    number = find_release(version)
    rules = load_context_defaults().ollama_parallel
    return next((each.slots for each in rules if number is not None and number >= each.since), ())


def _by_longer_tag(models: Iterable[ModelSpec], wanted: str) -> list[ModelSpec]:
    """The model whose tag is the longest start of `wanted`: `llama3.1:8b-instruct-q8_0` is a `llama3.1:8b`."""
    full = _tag(wanted)
    starts = {tag.lower(): m for m in models for tag in m.tags if full.startswith(f"{tag.lower()}-") and ":" in tag}
    return [starts[max(starts, key=len)]] if starts else []


def _tag(name: str) -> str:
    """A library tag in full: `Qwen3-Coder` -> `qwen3-coder:latest`; registry and default namespace removed."""
    bare = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return bare if ":" in bare else f"{bare}:latest"


@lru_cache(maxsize=4096)
def _plain_name(name: str) -> str:
    """A model name without owner, file suffix, shard, quantisation, date and tuning words, as letters and digits only.

    Files, `general.name` and model cards write one name with hyphens, underscores or spaces.
    """
    stem = re.sub(r"[_ ]+", "-", re.sub(r"\.gguf$", "", name.lower().rsplit("/", 1)[-1])).removeprefix("meta-")
    stem = re.sub(r"-\d{5}-of-\d{5}$", "", stem)
    stem = re.sub(r"[-.](?:ud-)?(?:i?q\d[\w-]*|f16|bf16|fp8|fp16|mxfp4)(?=-safetensors|$)", "", stem)
    stem = re.sub(r"-(?:instruct|it|chat|gguf|safetensors|[01]\d[0-3]\d|2[5-9](?:0[1-9]|1[0-2]))\b", "", stem)
    return re.sub(r"[^a-z0-9]", "", stem)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9]+(?:-q)?", text.lower().replace("+", " plus ")))


def _match_length(machine: Machine, words: frozenset[str]) -> int:
    """Words of the longest alias that `words` contains; 0 if none, or if `words` names another variant of it."""
    return max((len(alias) for alias in map(_words, machine.aliases) if _means(words, alias)), default=0)


def _means(words: frozenset[str], alias: frozenset[str]) -> bool:
    return alias <= words and not (words - alias) & _VARIANTS


def _has_memory(machine: Machine, memory_gib: float | None) -> bool:
    """Whether it is sold with that memory; logs print a little less than the nominal size."""
    if memory_gib is None or not machine.memory_gib:
        return True
    return any(0.9 * size <= memory_gib <= 1.02 * size for size in _sizes(machine))


def _sizes(machine: Machine) -> Iterable[float]:
    return machine.memory_gib if machine.cards == 1 else (size * machine.cards for size in machine.memory_gib)
