"""The two streams: data on standard output, everything else on standard error. Foreign text is never markup."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: Lines longer than this are hard to read; wider terminals keep the margin.
MAX_WIDTH = 100

_UNBOUNDED = 100_000


def stdout() -> Console:
    """Console for data. Rich itself heeds NO_COLOR, FORCE_COLOR, COLUMNS and pipes."""
    return _console(stderr=False)


def stderr() -> Console:
    """Console for progress and complaints."""
    return _console(stderr=True)


def _console(*, stderr: bool, width: int | None = None) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def shown(text: str, style: str = "") -> Text:
    """Foreign text for the terminal: secrets masked, control and bidirectional characters visible, no markup."""
    from rich.text import Text

    from investigator.report.redact import Redactor
    from investigator.report.text import visible

    return Text(visible(Redactor().mask(text)), style=style)


def complain(text: str) -> None:
    """A message on standard error, one `path: message` a line; never wrapped, so that it can be searched."""
    from investigator.report.text import visible

    sys.stderr.write("".join(f"{visible(line)}\n" for line in text.splitlines()))


def table(*heads: str, numeric: tuple[str, ...] = (), whole: tuple[str, ...] = ()) -> Table:
    """A plain table; the columns in `numeric` are set to the right, those in `whole` are never broken."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for head in heads:
        made.add_column(head, justify="right" if head in numeric else "left", overflow="fold", no_wrap=head in whole)
    return made


def natural_width(made: Table) -> int:
    """Columns that the table takes when nothing is folded."""
    console = stdout()
    return console.measure(made, options=console.options.update_width(_UNBOUNDED)).maximum


def print_table(made: Table) -> None:
    """Print a table: folded to a screen, but whole lines into a pipe or file, where each row is to be found again."""
    console = stdout()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = _console(stderr=False, width=max(natural_width(made), console.width))
    console.print(made)


def print_line(text: Text) -> None:
    """One line: cut at the edge of a screen, whole into a pipe or file."""
    console = stdout()
    if console.is_terminal:
        console.print(text, no_wrap=True, overflow="ellipsis")
    else:
        sys.stdout.write(text.plain + "\n")


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """`value` (JSON-like) with every string in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {masked(key, mask): masked(item, mask) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item, mask) for item in value]
    return value


def print_json(value: object) -> None:
    """JSON in ASCII, secrets masked: control characters are escaped, so any terminal shows text."""
    import json

    from investigator.report.redact import Redactor

    value = masked(value, Redactor().mask)
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False, default=str) + "\n")
