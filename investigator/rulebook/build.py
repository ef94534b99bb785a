"""A fired group of rows as a finding: steps with numbers put in, labels, keys, texts, remedies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from investigator.rulebook.compile import Compiled
from investigator.rulebook.findings import Finding, Remedy, Said, Step, Value
from investigator.rulebook.labels import OperandBook, evidence_refs, weakest
from investigator.rulebook.merge import Row
from investigator.rulebook.model import RemedySpec, Rule, Translation
from investigator.rulebook.quantity import Quantity
from investigator.rulebook.shown import Shower
from investigator.rulebook.templates import render
from investigator.rulebook.whatif import Answer

#: Columns by which findings are joined; each is also known by the name it has in its view.
KEYS = frozenset(
    {"subject", "attempt_id", "call_id", "run_id", "work_id", "request_id", "load_id", "event_id", "device_id"}
    | {"held_up"}  # the attempts that a cause kept waiting for most of their time
    | {"session_id", "stream", "stretch", "model", "model_key", "provider", "agent", "client", "source"}
)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows told as one finding, in order of time, and the one that is shown."""

    members: tuple[Row, ...]
    shown: Row


def build_finding(compiled: Compiled, group: Group, answers: Mapping[str, Answer], book: OperandBook) -> Finding:
    """The finding of one group; raises nothing that the loader could have refused."""
    rule, row = compiled.rule, group.shown
    steps = tuple(_step(compiled, row, name, book) for name in compiled.steps)
    subjects = tuple(dict.fromkeys(str(member["subject"]) for member in group.members))
    times = [member["happened_at"] for member in group.members if member.get("happened_at") is not None]
    names = _template_names(compiled, group, answers)
    operands = book.of_expression(compiled, row, compiled.verdict)
    used = [step.label for step in steps if step.name in compiled.steps_behind(compiled.verdict.columns)]
    return Finding(
        finding_id=_finding_id(rule.id, subjects),
        rule=rule.id,
        rule_version=rule.version,
        pack=compiled.pack,
        kind=rule.kind,
        cause=rule.cause,
        title=rule.title,
        severity=rule.severity,
        label=weakest([*(operand.label for operand in operands), *used]),
        subjects=subjects,
        keys=_keys(compiled, group.members),
        happened_at=min(times, default=None),
        last_at=max(times, default=None),
        columns={name: row[name] for name in compiled.types if not isinstance(row.get(name), list)},
        steps=steps,
        short=render(rule.explain.short, names),
        long=render(rule.explain.long, names),
        evidence=evidence_refs(_evidence_texts(group, operands)),
        what_if={what_if: answer.value for what_if, answer in answers.items()},
        remedies=tuple(_remedies(compiled, row, answers, names)),
        texts={language: _said(rule, said, names) for language, said in rule.texts.items()},
    )


def _said(rule: Rule, said: Translation, names: Mapping[str, object]) -> Said:
    phrases = [(step.say, said.steps[step.name]) for step in rule.steps if step.say and step.name in said.steps]
    # Steps bring no numbers, remedies do; those that are not shown are told by nobody.
    phrases += [
        (render(spec.do, names), render(do, names)) for spec, do in zip(rule.remedies, said.remedies, strict=False)
    ]
    return Said(said.title, render(said.short, names), render(said.long, names), tuple(phrases))


def _step(compiled: Compiled, row: Row, name: str, book: OperandBook) -> Step:
    spec = next(step for step in compiled.rule.steps if step.name == name)
    expression = compiled.steps[name]
    operands = book.of_expression(compiled, row, expression)
    own = [spec.at_best] if spec.at_best else []
    inner = [
        step.at_best
        for step in compiled.rule.steps
        if step.at_best and step.name in compiled.steps_behind(expression.columns)
    ]
    label = weakest([*(operand.label for operand in operands), *own, *inner])
    shown = Shower({**row, **compiled.params}, compiled.units).show(expression.tree)
    return Step(name, spec.say, shown, row.get(name), spec.unit, label, operands)


def _template_names(compiled: Compiled, group: Group, answers: Mapping[str, Answer]) -> dict[str, object]:
    units = compiled.units
    times = [member["happened_at"] for member in group.members if member.get("happened_at") is not None]
    names: dict[str, object] = {name: Quantity(value, units.get(name)) for name, value in compiled.params.items()}
    names |= {
        name: Quantity(_flat(group.shown.get(name)), units.get(name)) for name in (*compiled.types, *compiled.steps)
    }
    for what_if in compiled.rule.what_if:
        unit = units.get(what_if.give or what_if.solve or "")
        answer = answers.get(what_if.id, Answer(None, None))
        names[what_if.id] = Quantity(answer.value, unit)
    names["count"] = Quantity(len(group.members))
    names["first_at"], names["last_at"] = Quantity(min(times, default=None)), Quantity(max(times, default=None))
    return names


def _flat(value: Any) -> Value:
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    flat: Value = value
    return flat


def _keys(compiled: Compiled, members: Iterable[Row]) -> dict[str, tuple[str, ...]]:
    wanted = set(KEYS) | set(compiled.rule.merge.by if compiled.rule.merge else ())
    found: dict[str, dict[str, None]] = {}
    for member in members:
        for name in compiled.types:
            origin = compiled.lineage.get(name)
            own_name = origin.column if origin else name
            for key in {name, own_name} & wanted:
                found.setdefault(key, {}).update(dict.fromkeys(_texts(member.get(name))))
    return {name: tuple(found[name]) for name in sorted(found) if found[name]}


def _texts(value: Any) -> list[str]:
    """A key's values: one, those of a list, or none."""
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]


def _evidence_texts(group: Group, operands: Iterable[Any]) -> list[str]:
    texts: list[str] = []
    for member in (group.shown, *group.members):
        evidence = member.get("evidence")
        texts += evidence if isinstance(evidence, list) else [evidence] if evidence else []
    texts += [str(ref) for operand in operands for ref in operand.evidence]
    return texts


def _remedies(
    compiled: Compiled, row: Row, answers: Mapping[str, Answer], names: Mapping[str, object]
) -> Iterable[Remedy]:
    """Advice that its own what-if does not refute."""
    for number, spec in enumerate(compiled.rule.remedies):
        proved = spec.proves is None or answers.get(spec.proves, Answer(None, None)).saves is True
        wanted = str(number) not in compiled.conditions or row.get(f"when_{number}_") is True
        if proved and wanted:
            yield _remedy(spec, names)


def _remedy(spec: RemedySpec, names: Mapping[str, object]) -> Remedy:
    def text(template: str | None) -> str | None:
        return None if template is None else render(template, names)

    value: Value = text(spec.value)
    if isinstance(value, str) and value.lstrip("-").isdigit():
        value = int(value)
    return Remedy(
        render(spec.do, names), render(spec.where, names), spec.proves, text(spec.setting), value, text(spec.paste)
    )


def _finding_id(rule: str, subjects: Iterable[str]) -> str:
    digest = hashlib.sha256("\0".join([rule, *subjects]).encode()).hexdigest()
    return f"{rule}-{digest[:10]}"
