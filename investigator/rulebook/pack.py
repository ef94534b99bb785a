"""Rules that are loaded together: the set, the packs they come from, their versions and hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml.error import YAMLError

from investigator.errors import RuleProblem
from investigator.rulebook.compile import Compiled
from investigator.rulebook.findings import Value
from investigator.yamltext import load as load_yaml

if TYPE_CHECKING:
    from investigator.rulebook.exceptions import RuleOverride

PACK_FILE = "pack.yaml"


@dataclass(frozen=True, slots=True)
class Pack:
    """Where rules come from. `sha256` covers names and bytes of all its rule files, in order."""

    name: str
    version: str
    sha256: str
    rules: int


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by id in alphabetical order, with all that was wrong with those that could not be loaded.

    `overrides`: what the user's configuration says of rules; they are applied already, exceptions act on findings.
    """

    rules: tuple[Compiled, ...]
    problems: tuple[RuleProblem, ...] = ()
    packs: tuple[Pack, ...] = ()
    overrides: Mapping[str, RuleOverride] = field(default_factory=dict)

    def __getitem__(self, rule_id: str) -> Compiled:
        return next(rule for rule in self.rules if rule.id == rule_id)

    def split(self, own: Path) -> tuple[RuleSet, RuleSet]:
        """The rules whose files lie in the folder `own`, and the foreign ones."""
        trusted = {rule.id for rule in self.rules if Path(rule.path).parent == own}
        return self.only(trusted), self.only({rule.id for rule in self.rules} - trusted)

    def only(self, rule_ids: Iterable[str]) -> RuleSet:
        """The same set with these rules alone."""
        wanted = set(rule_ids)
        return replace(self, rules=tuple(rule for rule in self.rules if rule.id in wanted), problems=())

    def with_params(self, rule_id: str, values: Mapping[str, Value]) -> RuleSet:
        """The same set with parameters of one rule changed; bounds are not checked here."""
        return replace(
            self,
            rules=tuple(
                replace(rule, params={**rule.params, **values}) if rule.id == rule_id else rule for rule in self.rules
            ),
        )


def rule_files(path: Path) -> list[Path]:
    """The rule files at `path`: itself, or all YAML files of a folder but pack.yaml, by name."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in {".yaml", ".yml"} and file.name != PACK_FILE)


def describe_pack(path: Path, files: Iterable[Path]) -> Pack:
    """Name and version from pack.yaml, else the folder's name and `0`."""
    folder = path if path.is_dir() else path.parent
    about = _pack_file(folder / PACK_FILE)
    digest = hashlib.sha256()
    count = 0
    for file in files:
        if file.is_file():
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
            count += 1
    name, version = about.get("name", folder.resolve().name), about.get("version", "0")
    return Pack(str(name), str(version), digest.hexdigest(), count)


def _pack_file(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        return {}
    try:
        about = load_yaml(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise RuleProblem("the pack's description is no YAML", hint="write name: and version:", path=path) from error
    return about if isinstance(about, dict) else {}
