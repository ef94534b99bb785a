"""100 rules over a case of 1,000,000 requests: `python benchmarks/rules.py [--requests N] [--rules N]`.

The rows are made in DuckDB (no log is parsed): most requests are answered, one in 5,000 failed as real ones do. Rules
beyond the built-in ones are copies of them. Prints CPU and wall seconds and the slowest rules.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import duckdb

from investigator.casefile.derived import derived_tables
from investigator.resources import rules_dir
from investigator.rulebook.emptyviews import empty_views
from investigator.rulebook.evaluate import evaluate
from investigator.rulebook.load import load_rules
from investigator.rulebook.pack import RuleSet

#: What a row of each view holds, by column; the others are unknown.
ATTEMPTS = {
    "attempt_id": "'a' || i", "call_id": "'c' || i", "run_id": "'r' || i // 200", "work_id": "'w' || i // 2",
    "stream": "'s' || i % 4", "stretch": "'t' || i // 50000", "model": "'m' || i % 5", "model_key": "'m' || i % 5",
    "arrived_at": "TIMESTAMP '2026-01-01' + to_seconds(i * 3)", "duration_s": "5 + i % 50",
    "outcome": "if(i % 5000 = 0, 'client_closed_before_first_byte', 'ok')", "failed": "i % 5000 = 0",
    "asked_tokens": "1000 + i % 30000", "read_tokens": "1000 + i % 30000", "window_tokens": "32768",
    "native_window_tokens": "131072", "cached_tokens": "i % 900", "prefill_r0": "900.0", "prefill_c": "1e-8",
    "timeout_s": "300", "slots": "1", "tries": "1", "try_no": "1", "evidence": "['server.log:' || i]",
}  # fmt: skip
REQUESTS = {
    "request_id": "'a' || i", "stream": "'s' || i % 4", "stretch": "'t' || i // 50000", "model_key": "'m' || i % 5",
    "arrived_at": "TIMESTAMP '2026-01-01' + to_seconds(i * 3)", "status": "if(i % 5000 = 0, 500, 200)",
    "route": "'/api/chat'", "inference": "true", "prefill_s": "1.0 + i % 20", "evidence": "['server.log:' || i]",
}  # fmt: skip


def case(requests: int) -> duckdb.DuckDBPyConnection:
    """Views with this many requests and attempts."""
    con = empty_views()
    for view, given in (("attempts", ATTEMPTS), ("requests", REQUESTS)):
        known = {column.name: column.type for column in derived_tables()[view].columns}
        chosen = {name: sql for name, sql in given.items() if name in known}
        values = ", ".join(f"CAST({sql} AS {known[name]})" for name, sql in chosen.items())
        con.execute(f"INSERT INTO {view} ({', '.join(chosen)}) SELECT {values} FROM range({requests}) t(i)")
    return con


def rules(count: int) -> RuleSet:
    """The built-in rules, and copies of them up to a number."""
    built_in = load_rules([rules_dir()], with_tests=False).rules
    copies = [
        replace(rule, rule=rule.rule.model_copy(update={"id": f"{rule.id}-{number}"}))
        for number in range(1, 1 + count // len(built_in))
        for rule in built_in
    ]
    return RuleSet((*built_in, *copies)[:count])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=100)
    asked = parser.parse_args()
    con, chosen = case(asked.requests), rules(asked.rules)
    wall, cpu = time.perf_counter(), time.process_time()
    found = evaluate(con, chosen, time.process_time)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{len(chosen.rules)} rules over {asked.requests:,} requests: {cpu:.1f} s CPU, {wall:.1f} s wall")
    print(f"{len(found.findings):,} findings, {sum(r.outcome == 'error' for r in found.results)} errors")
    for result in sorted(found.results, key=lambda each: -each.seconds)[:15]:
        print(f"{result.seconds:8.2f} s  {result.rule}")


if __name__ == "__main__":
    main()
