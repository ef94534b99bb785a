"""Names of limits and of the settings that change them, in the language of the report.

A diagnosis makes them of an agent's name and fixed words, or takes them from the catalogue; they stand in columns of
findings beside what logs said, and inside the texts of rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from investigator.diagnosis.model import Incident
from investigator.report.language import _, catalogue, current, figures_in

#: Columns that hold such names and no word of a log.
LIMIT_COLUMNS = ("timeout_layer", "timeout_key")
_OF_AGENT = re.compile("(.+) (run limit|request limit)")
_NOTED = re.compile(r"(.+) \(([^()]+)\)")


def limit_names(incidents: Iterable[Incident]) -> Mapping[str, str]:
    """Every name of a limit or setting in the incidents → its words in the language in use."""
    return {text: limit_name(text) for text in dict.fromkeys(_named(incidents))}


def limit_name(text: str) -> str:
    """`OpenClaw run limit`, a component of the catalogue, or `setting (note)`; any other text as it is."""
    # A setting may be called like any word: names that are known have several.
    if " " in text and (said := catalogue(current()).get(text)) is not None:
        return said
    if (of := _OF_AGENT.fullmatch(text)) is not None:
        return _(f"{{agent}} {of[2]}").format(agent=of[1])
    if (noted := _NOTED.fullmatch(text)) is not None:
        return f"{noted[1]} ({figures_in(_(noted[2]))})"
    return text


def _named(incidents: Iterable[Incident]) -> Iterator[str]:
    for incident in incidents:
        rows = [*(finding.columns for finding in incident.findings), *(row.columns for row in incident.attempts)]
        values = (row.get(name) for row in rows for name in LIMIT_COLUMNS)
        yield from (value for value in values if isinstance(value, str) and value)
