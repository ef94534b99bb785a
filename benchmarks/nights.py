"""A case of many nights, and how long questions to it take.

    .venv/bin/python benchmarks/nights.py --nights 400 --bytes 5MB

One night of the generated log is ingested and judged; its facts and derived rows are then repeated with later times,
which gives the case that so many scans would have left. Prints the case's size and the seconds of typical questions.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from make_log import make_log, parse_bytes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from investigator.casefile.case import Case  # noqa: E402
from investigator.casefile.derived import derived_tables  # noqa: E402
from investigator.casefile.ingest import ingest  # noqa: E402
from investigator.formats.facts import fact_tables  # noqa: E402
from investigator.pipeline import prepare  # noqa: E402
from investigator.views import create_views  # noqa: E402

QUESTIONS = {
    "failed calls a night": "SELECT arrived_at::DATE, count(*) FILTER (failed) FROM attempts GROUP BY 1 ORDER BY 1",
    "slowest prefill of the last week": (
        "SELECT model, median(prefill_tps) FROM attempts "
        "WHERE arrived_at > (SELECT max(arrived_at) FROM attempts) - INTERVAL 7 DAY GROUP BY 1"
    ),
    "one call": "FROM attempts WHERE attempt_id = (SELECT max(attempt_id) FROM attempts)",
    "status codes": "SELECT status, count(*) FROM facts.http_request GROUP BY 1 ORDER BY 2 DESC",
    "what was not understood": "FROM coverage",
}


def repeat(case: Case, nights: int) -> None:
    """The case's rows, once for each later night."""
    tables = [("facts", name, table.polars_schema()) for name, table in fact_tables().items()]
    tables += [
        ("derived", name, table.polars_schema()) for name, table in derived_tables().items() if name != "coverage"
    ]
    for schema, name, columns in tables:
        times = [column for column, kind in columns.items() if str(kind).startswith("Datetime")]
        later = ", ".join(f"{column} + to_days(night::INTEGER) AS {column}" for column in times)
        chosen = f"one.* REPLACE ({later})" if times else "one.*"
        with case.transaction() as con:
            con.execute(
                f"INSERT INTO {schema}.{name} SELECT {chosen} "
                f"FROM {schema}.{name} AS one, range(1, {nights}) AS later (night)"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=400)
    parser.add_argument("--bytes", type=parse_bytes, default=parse_bytes("5MB"), dest="want_bytes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log, path = Path(folder, "server.log"), Path(folder, "nights.duckdb")
        make_log(log, options.want_bytes, 7)
        with Case(path) as case:
            ingest([log], case)
            prepare(case)
            repeat(case, options.nights)
        print(f"{options.nights} nights of {log.stat().st_size / 1e6:.0f} MB: {path.stat().st_size / 1e6:,.0f} MB")
        with Case(path, read_only=True) as case:
            create_views(case.connection)
            for name, sql in QUESTIONS.items():
                begun = time.perf_counter()
                rows = len(case.connection.execute(sql).fetchall())
                print(f"{time.perf_counter() - begun:6.2f} s  {rows:6,} rows  {name}")


if __name__ == "__main__":
    main()
