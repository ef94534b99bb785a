"""Root-cause reports for failed LLM-agent runs, from model-server logs and agent transcripts.

The names below are the public library. They load on first use, so that `import investigator` costs nothing.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

#: Public name → module that defines it.
_PUBLIC = {
    "Case": "investigator.casefile.case",
    "CaseProblem": "investigator.errors",
    "InputProblem": "investigator.errors",
    "InvestigatorError": "investigator.errors",
    "RuleProblem": "investigator.errors",
    "UsageProblem": "investigator.errors",
    "analyze": "investigator.pipeline",
    "ingest": "investigator.pipeline",
    "investigate": "investigator.pipeline",
    "render_html": "investigator.report",
    "render_json": "investigator.report",
    "render_markdown": "investigator.report",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 - the keys are strings


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
