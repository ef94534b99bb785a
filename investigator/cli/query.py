"""`query`: SQL on a case."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from investigator.cli import options
from investigator.cli.terminal import complain, natural_width, print_json, print_table, stdout, table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from rich.text import Text

    from investigator.casefile.case import Case

#: A table on the screen ends here; csv and json print everything.
MAX_TABLE_ROWS = 200
_BATCH = 1000


@click.command(
    "query",
    epilog=options.examples(
        "investigator query week.duckdb 'SELECT outcome, count(*) FROM attempts GROUP BY 1'",
        "investigator query week.duckdb 'FROM attempts WHERE failed' --format csv > failed.csv",
    ),
)
@options.case_argument
@click.argument("sql", metavar="SQL")
@click.option("--format", "format_", type=click.Choice(("table", "csv", "json")), default="table", show_default=True)
@options.debug_option
@click.pass_context
def command(ctx: click.Context, case: Path, sql: str, format_: str) -> None:
    """Ask a case in SQL.

    The language is DuckDB's; - reads it from standard input. The case is opened for reading only. `investigator
    schema` prints the views; the facts as they stand in the logs are the tables facts.*. What looks like a secret is
    masked in the answer.
    """
    import duckdb

    from investigator.casefile.case import Case
    from investigator.views import create_views

    with Case(case, read_only=True) as opened:
        create_views(opened.connection)
        _hint(opened)
        try:
            cursor = opened.connection.execute(sys.stdin.read() if sql == options.STDOUT else sql)
            names = [column[0] for column in cursor.description or ()]
            _print(names, rows(cursor), format_)
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise click.UsageError(str(error), ctx) from error


def _hint(case: Case) -> None:
    """Facts without calls: say what is missing, since an empty answer would look like "nothing happened"."""
    from investigator.casefile.derived import derived_tables

    if not _any_rows(case, "meta.sources"):
        complain("this case holds no log: read some with `investigator ingest`")
    elif not any(_any_rows(case, f"derived.{name}") for name in derived_tables()):
        complain("the views of this case are empty: run `investigator analyze` on it first")


def _any_rows(case: Case, name: str) -> bool:
    return case.connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is not None


def rows(cursor: DuckDBPyConnection) -> Iterator[list[Any]]:
    """Rows with masked strings, in batches, so that a large answer streams."""
    from investigator.report.redact import Redactor

    mask = Redactor().mask
    while batch := cursor.fetchmany(_BATCH):
        for row in batch:
            yield [mask(value) if isinstance(value, str) else value for value in row]


def _print(names: Sequence[str], answer: Iterator[list[Any]], format_: str) -> None:
    {"table": _print_table, "csv": _print_csv, "json": _print_rows_json}[format_](names, answer)


def _print_table(names: Sequence[str], answer: Iterator[list[Any]]) -> None:
    from rich.text import Text

    from investigator.report.text import visible

    made = table(*(visible(name) for name in names))
    records: list[list[Text]] = []
    for number, row in enumerate(answer):
        if number == MAX_TABLE_ROWS:
            complain(f"only the first {MAX_TABLE_ROWS} rows are shown: --format csv prints all")
            break
        cells = [Text("" if value is None else visible(str(value))) for value in row]
        made.add_row(*cells)
        records.append(cells)
    console = stdout()
    if console.is_terminal and natural_width(made) > console.width:
        _print_records(names, records)
    else:
        print_table(made)


def _print_records(names: Sequence[str], records: Sequence[Sequence[Text]]) -> None:
    """Rows too wide for the screen, one column a line."""
    width = max(map(len, names))
    for number, cells in enumerate(records, 1):
        stdout().print(f"row {number}", style="bold cyan")
        for name, cell in zip(names, cells, strict=True):
            stdout().print(f"  {name:<{width}}  ", cell, sep="")


def _print_csv(names: Sequence[str], answer: Iterator[list[Any]]) -> None:
    import csv

    from investigator.report.text import visible

    # A file gets the bytes as they are, a screen only what it can show without obeying it.
    clean = visible if sys.stdout.isatty() else str
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(["" if value is None else clean(str(value)) for value in row] for row in answer)


def _print_rows_json(names: Sequence[str], answer: Iterator[list[Any]]) -> None:
    print_json([dict(zip(names, row, strict=True)) for row in answer])
