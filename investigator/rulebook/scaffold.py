"""`rules new`: a first rule to change, that loads and passes its own tests."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment

from investigator.casefile.derived import derived_tables
from investigator.errors import UsageProblem
from investigator.rulebook.pack import PACK_FILE
from investigator.rulebook.schema import SCHEMA_FILE, rule_schema

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def write_new_rule(file: Path) -> list[Path]:
    """Write the rule, and beside it the schema and a pack.yaml where they are missing. Raises UsageProblem."""
    if file.suffix not in {".yaml", ".yml"} or not _ID.fullmatch(file.stem):
        raise UsageProblem(
            f"{file.name} is no name for a rule",
            hint="small letters, digits and dashes, such as my-rule.yaml",
            path=file,
        )
    if file.exists():
        raise UsageProblem("the file is already there", hint="choose another name", path=file)
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        file: new_rule(file.stem),
        folder / SCHEMA_FILE: json.dumps(rule_schema(), indent=2, ensure_ascii=False) + "\n",
        folder / PACK_FILE: f'name: {folder.resolve().name}\nversion: "1"\n',
    }
    written = [path for path in texts if not path.exists()]
    for path in written:
        path.write_text(texts[path], encoding="utf-8")
    return written


def new_rule(rule_id: str) -> str:
    """The text of a first rule."""
    template = files(__package__).joinpath("new_rule.yaml.j2").read_text(encoding="utf-8")
    values = {"id": rule_id, "schema": SCHEMA_FILE, "version": derived_tables()["attempts"].version}
    return Environment(keep_trailing_newline=True, autoescape=False).from_string(template).render(values)
