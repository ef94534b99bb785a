"""`what-if`: an incident's failed attempts under other settings, on other machines, or partly elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options, planned
from investigator.cli.terminal import print_json, print_table, shown, stdout, table

if TYPE_CHECKING:
    from investigator.diagnosis.model import World
    from investigator.planning import Ground, Hybrid, IncidentLoad, MachineTable, Part, ScenarioResult
    from investigator.rulebook.pack import RuleSet

_MARKS = {"passes": "✔ passes", "might": "? might", "fails": "✘ fails", "not_needed": "– not needed"}
_SAVES = {"yes": "✔ saves all", "might": "? might", "no": "✘ does not"}
_PLACES = {
    "here": "served here",
    "larger_window": "need a larger window here",
    "cloud": "too much for this machine in time: movable",
    "private": "too much for this machine in time, private: stay",
    "other_reason": "failed for another reason",
    "unknown": "failed; prompt, speed or memory not known",
}


class _Tokens(click.ParamType[int]):
    """A number of tokens, or `all`."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "all":
            return -1
        try:
            return max(int(value), 0)
        except ValueError:
            self.fail(f"{value!r} is neither a number of tokens nor `all`", param, ctx)


@click.command(
    "what-if",
    epilog=options.examples(
        "investigator what-if --case week.duckdb",
        "investigator what-if --case week.duckdb --timeout 600 --timeout 900 --num-ctx 262144",
        "investigator what-if --case week.duckdb --machine 'DGX Spark' --num-ctx 262144",
        "investigator what-if --case week.duckdb --machines",
    ),
)
@click.option("--case", "case_path", type=click.Path(path_type=Path), required=True, help="An analysed case.")
@click.option("--incident", metavar="ID", help="One incident, or the start of its id. Default: all.")
@click.option("--timeout", "timeouts_s", type=click.FloatRange(min=0), multiple=True, metavar="SECONDS",
              help="The client's limit. This and the following may be repeated.")  # fmt: skip
@click.option("--num-ctx", "windows", type=click.IntRange(min=1), multiple=True, metavar="TOKENS",
              help="Window of one request.")  # fmt: skip
@click.option("--kv-type", "kv_types", multiple=True, metavar="TYPE", help="Type of the KV cache.")
@click.option("--parallel", "slots", type=click.IntRange(min=1), multiple=True, help="Slots of the server.")
@click.option("--machine", "machine_names", multiple=True, metavar="NAME", help="A machine of the catalogue.")
@planned.memory_option
@click.option("--model", "models", multiple=True, metavar="NAME", help="A model of the catalogue.")
@click.option("--prefix-cached", "cached", type=_Tokens(), multiple=True, metavar="TOKENS",
              help="So much of the prompt found in the cache; all = all but the last token.")  # fmt: skip
@click.option("--machines", "all_machines", is_flag=True, help="The load on the machines one might buy, with prices.")
@click.option("--hybrid", is_flag=True, help="Which calls to keep, and what the others cost at a cloud model.")
@options.rules_option
@planned.config_option
@options.json_option
@options.debug_option
def command(case_path: Path, incident: str | None, all_machines: bool, hybrid: bool, rule_paths: tuple[Path, ...],
            config: Path | None, as_json: bool, **asked: Any) -> None:  # fmt: skip
    """Replay the failed attempts under other settings.

    Without a change: the smallest sets of changes that save every call. With changes: each alone, then all together,
    for every attempt. An attempt passes when no cause would fire; "might" where an interval straddles the limit.
    """
    from investigator.cli import steps
    from investigator.cli.progress import working

    catalogue = planned.catalogue(config)
    groups = _groups(catalogue, asked)
    wants_worlds = not (groups or all_machines or hybrid)
    with planned.open_analysed(case_path) as case:
        from investigator.planning import Ground, hybrid_split, read_measured

        facts = read_measured(case.connection, catalogue)
        answer: dict[str, Any] = {"incidents": []}
        if groups or all_machines or wants_worlds:
            rules = steps.load(rule_paths)
            with working("replaying failed attempts", quiet=False):
                for load in _loads(case, rules, incident, wants_worlds):
                    ground = Ground(catalogue, facts, load.model(facts))
                    answer["incidents"].append(_answer(case.connection, rules, load, ground, groups, all_machines))
        if hybrid:
            answer["hybrid"] = hybrid_split(case.connection, catalogue, facts)
    if as_json:
        print_json(_plain(answer))
    else:
        _print(answer)


def _groups(catalogue: Any, asked: dict[str, Any]) -> tuple[tuple[Part, ...], ...]:
    from investigator.planning import Asked, parts

    wanted = Asked(
        timeouts_s=asked["timeouts_s"],
        windows_tokens=asked["windows"],
        kv_types=asked["kv_types"],
        slots=asked["slots"],
        machines=asked["machine_names"],
        memory_gib=asked["memory_gib"],
        models=asked["models"],
        cached_tokens=tuple(None if tokens < 0 else tokens for tokens in asked["cached"]),
    )
    return parts(catalogue, wanted)


def _loads(case: Any, rules: RuleSet, incident: str | None, replayed: bool) -> tuple[IncidentLoad, ...]:
    from investigator import __version__
    from investigator.diagnosis.diagnose import diagnose
    from investigator.planning import incident_loads
    from investigator.rulebook.evaluate import evaluate

    evaluation = evaluate(case.connection, rules)
    diagnosis = diagnose(case, rules, evaluation, tool_version=__version__, replay=replayed)
    return incident_loads(case.connection, diagnosis, incident)


def _answer(con: Any, rules: RuleSet, load: IncidentLoad, ground: Ground, groups: Sequence[Sequence[Part]],
            all_machines: bool) -> dict[str, Any]:  # fmt: skip
    from investigator.planning import compare_machines, replay, scenarios

    told: dict[str, Any] = {"incident_id": load.incident_id, "title": load.title}
    if groups:
        told["scenarios"] = replay(con, rules, load.attempts, scenarios(groups, ground))
    if all_machines:
        told["machines"] = compare_machines(con, rules, load, ground)
    if load.what_would_help or not (groups or all_machines):
        told["what_would_help"] = load.what_would_help
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value


def _print(answer: dict[str, Any]) -> None:
    for told in answer["incidents"]:
        stdout().print(shown(f"{told['incident_id']}  {told['title']}", "bold cyan"))
        if "scenarios" in told:
            _print_scenarios(told["scenarios"])
        if "machines" in told:
            _print_machines(told["machines"])
        if "what_would_help" in told:
            _print_worlds(told["what_would_help"])
    if not answer["incidents"] and "hybrid" not in answer:
        stdout().print("No failed call: nothing to replay.")
    if "hybrid" in answer:
        _print_hybrid(answer["hybrid"])


def _print_scenarios(results: Sequence[ScenarioResult]) -> None:
    from investigator.planning.words import between_s

    rows = table("change", "attempt", "result", "reading", "limit", "because", whole=("result",))
    for result in results:
        said = ""
        for number, fate in enumerate(result.attempts):
            limit = "" if fate.timeout_s is None else f"{fate.timeout_s:,.0f} s"
            why = "; ".join(fate.why)
            first, because = result.say if number == 0 else "", "as above" if why and why == said else why
            said = why
            cells = (first, fate.attempt_id, _MARKS[fate.fate], between_s(fate.reading_s), limit, because)
            rows.add_row(*map(shown, cells))
    print_table(rows)
    for result in results:
        calls = f"{result.passing_calls} of {result.total_calls} calls pass" + (
            f", {result.might_calls} might" if result.might_calls else ""
        )
        sure = f" ({result.confidence} confidence)" if result.confidence else ""
        stdout().print(shown(f"{_MARKS[result.verdict][0]} {result.say}: {calls}{sure}"))
        for note in result.notes:
            stdout().print(shown(f"    {note}", "dim"))


def _print_machines(made: MachineTable) -> None:
    from investigator.planning.words import between_gib, between_s

    stdout().print(shown(made.sentence, "bold"))
    for remark in made.remarks:
        stdout().print(shown(remark))
    window = f"window {made.window_tokens:,}" if made.window_tokens else ""
    heads = ["machine", "list price", "as of", "memory", "needs / limit", "longest read", "alone", window, "confidence"]
    rows = table(*[head for head in heads if head], numeric=("list price",), whole=("alone", "confidence", window))
    for row in made.rows:
        price = "?" if row.price is None else f"${row.price.amount:,.0f}{'' if row.price.verified else '?'}"
        size = f"{row.cards} × {row.memory_gib:g} GiB" if row.cards > 1 else f"{row.memory_gib:g} GiB"
        needs = f"{between_gib(row.need_bytes)} / {between_gib(row.limit_bytes)} GiB"
        date = "" if row.price is None else row.price.date
        cells = [row.name + (" (the machine of the logs)" if row.is_present else ""), price, date, size, needs]
        cells += [between_s(row.reading_s), _MARKS[row.alone]]
        cells += [_MARKS[row.with_window]] if row.with_window else [""] if window else []
        rows.add_row(*map(shown, (*cells, row.confidence)))
    print_table(rows)
    told = "Prices are list prices at their dates, ? not verified. Confidence: high = measured there"
    stdout().print(f"{told}, medium = moved from measurements, low = from peak figures or other models.", style="dim")


def _print_worlds(worlds: Sequence[World]) -> None:
    for world in worlds:
        changes = " AND ".join(change.say for change in world.changes)
        counts = f"{world.saved_calls} of {world.total_calls} calls"
        tag = " (smallest set)" if world.minimal else ""
        stdout().print(shown(f"{_SAVES[world.saves]}: {changes}: {counts}{tag}"))
        stdout().print(shown(f"    {world.why}", "dim"))
    if not worlds:
        stdout().print("No change that is known here saves it.")


def _print_hybrid(made: Hybrid) -> None:
    rows = table(
        "calls", "share", "failed", "prompt tokens", "where", numeric=("calls", "share", "failed", "prompt tokens")
    )
    for each in made.shares:
        rows.add_row(
            f"{each.calls:,}", f"{each.share:.1%}", f"{each.failed:,}", f"{each.prompt_tokens:,}", _PLACES[each.place]
        )
    console = stdout()
    console.print("Hybrid split", style="bold cyan")
    print_table(rows)
    if made.threshold_tokens is not None:
        console.print(f"Longest cold prompt that this machine surely reads in time: {made.threshold_tokens:,} tokens")
    console.print(
        f"Failed calls: {made.failed_before} as it was, {made.failed_with_larger_window} with the larger window"
    )
    numbers = ("window", "calls", "cost", "failed then")
    clouds = table("cloud model", *numbers, "price as of", numeric=numbers)
    for cloud in made.clouds:
        cost = "?" if cloud.cost_usd is None else f"${cloud.cost_usd:,.2f}{'' if cloud.price_verified else '?'}"
        window = f"{cloud.window_tokens:,}{'' if cloud.window_verified else '?'}"
        clouds.add_row(
            *map(
                shown, (cloud.name, window, f"{cloud.calls_that_fit}", cost, f"{cloud.failed_after}", cloud.price_date)
            )
        )
    print_table(clouds)
    for note in made.notes:
        console.print(shown(note, "dim"))
