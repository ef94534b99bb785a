"""What must never be stored: keys, tokens and passwords, wherever they stand in a line or a document."""

from __future__ import annotations

import re

MASK = "[key]"
#: Longest excerpt that is kept of one line.
EXCERPT_CHARS = 1200

#: Names whose value is a secret. `maxTokens`, `totalTokens` are numbers of tokens: only the singular is one.
_SECRET_NAME = re.compile(
    r"(api[-_]?key|secret|passw(or)?d|authorization|credential|private[-_]?key|bearer|cookie|(^|[a-z_.-])token)$", re.I
)
_NAMED = re.compile(
    r"""(?ix) ((?:api[-_]?key|secret|passw(?:or)?d|authorization|credential|private[-_]?key|token)
    (?:\\*["'])?\s*[:=]\s*)
    (?: \\+"[^"\\]* | "(?:[^"\\]|\\.)*"? | '(?:[^'\\]|\\.)*'? | (?:bearer\s+|basic\s+)?(?![\d.]+\b)[^\s,;}"'\\]+ )"""
)
#: Without one of these a text holds no secret that we could see; the expressions are only tried where one stands.
_HINTS = ("key", "secret", "passw", "authorization", "credential", "token", "bearer")
_SHAPES = ("sk", "pk-", "pk_", "rk_", "gh", "glpat", "xox", "hf_", "nvapi", "gsk_", "eyj", "akia", "bearer")
_SHAPED = re.compile(
    r"(?i)\b(?:sk|pk|rk|ghp|gho|ghs|glpat|xox[abprs]|hf|nvapi|gsk)[-_][A-Za-z0-9_-]{12,}|\beyJ[\w-]{10,}\.[\w.-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}|(?<=bearer )[\w.~+/=-]{8,}"
)
_USERINFO = re.compile(r"(?<=://)[^/\s@\"']+@")
_LONG_TEXT = re.compile(
    r'"(text|thinking|content|summary|arguments|input|prompt|systemPrompt|lastPrompt|old_string|new_string|stdout|'
    r'diff|body|cmd|command|instructions)"(\s*:\s*)"((?:[^"\\]|\\.)*)'
)


def is_secret_name(name: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def masked(text: str) -> str:
    """`text` with every secret that has a telling name or shape replaced by `[key]`."""
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        text = _NAMED.sub(lambda match: f'{match.group(1)}"{MASK}"', text)
    if any(shape in lowered for shape in _SHAPES):
        text = _SHAPED.sub(MASK, text)
    return _USERINFO.sub(f"{MASK}@", text) if "@" in text else text


def excerpt(raw: bytes) -> str:
    """One line as it may be kept: secrets masked, texts of prompts and answers replaced by their length, cut short."""
    text = raw[: 2 * EXCERPT_CHARS].decode("utf-8", "replace").rstrip("\r\n")
    text = masked(_LONG_TEXT.sub(lambda m: f'"{m.group(1)}"{m.group(2)}"[{len(m.group(3))} characters]', text))
    return text if len(text) <= EXCERPT_CHARS and len(raw) <= 2 * EXCERPT_CHARS else text[:EXCERPT_CHARS] + " …"
