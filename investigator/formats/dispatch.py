"""Which pattern a line belongs to: a table from the line's first characters to the few literals that may follow.

No loop over lines: lines with the same candidates go together, so each literal is only compared with its own part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.patterns import HAS_GROUPS, Pattern

#: Characters of a line that choose the candidates.
STEM = 12

# Stems are remembered between chunks up to this number; a log with ever new first words must not fill the memory.
_REMEMBER = 50_000

Rows = npt.NDArray[np.intp]
#: Index of a pattern, and whether the stem alone decides that it fits.
_Candidate = tuple[int, bool]


@dataclass(frozen=True, slots=True)
class Match:
    """Lines that a pattern accounts for. rows: places in what was offered. groups: of the pattern's regex, if any."""

    pattern: Pattern
    rows: Rows
    keys: pl.Series
    groups: pl.DataFrame | None = None


class Dispatcher:
    """Splits lines among patterns by the start of their key, then by what the key contains."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._prefixed = [pattern for pattern in patterns if pattern.match != "contains"]
        self._contained = [pattern for pattern in patterns if pattern.match == "contains"]
        self._groups: dict[tuple[_Candidate, ...], int] = {(): 0}
        self._known: dict[str, int] = {}
        self._lock = Lock()

    def assign(self, keys: pl.Series, quoted: pl.Series | None) -> Iterator[Match]:
        """The lines (their keys, and whether these were quoted) that each pattern accounts for; each line once.

        Lines that no pattern wants are not returned. Of patterns with the same literal the first whose regex accepts a
        line gets it.
        """
        open_rows = np.ones(len(keys), np.bool_)
        for candidates, rows in self._parts(keys):
            for match in _share(candidates, rows, keys, quoted):
                open_rows[match.rows] = False
                yield match
        if self._contained and open_rows.any():
            yield from self._containing(np.flatnonzero(open_rows), keys, quoted)

    def _containing(self, rows: Rows, keys: pl.Series, quoted: pl.Series | None) -> Iterator[Match]:
        literals = list(dict.fromkeys(pattern.literal for pattern in self._contained))
        found = taken(keys, rows).to_frame("key").select(pl.col("key").str.contains_any(literals)).to_series()
        rows = rows[found.fill_null(False).to_numpy()]
        if len(rows):
            yield from _share([(pattern, False) for pattern in self._contained], rows, keys, quoted)

    def _parts(self, keys: pl.Series) -> Iterator[tuple[list[tuple[Pattern, bool]], Rows]]:
        if keys.is_empty() or not self._prefixed:
            return
        stems = keys.str.slice(0, STEM)
        distinct = stems.unique()
        group, members = self._grouped(distinct.drop_nulls().to_list())
        numbers = stems.replace_strict(group, default=0, return_dtype=pl.Int16).to_numpy()
        order = np.argsort(numbers, kind="stable")
        values, starts = np.unique(numbers[order], return_index=True)
        for value, rows in zip(values.tolist(), np.split(order, starts[1:]), strict=True):
            if value:
                yield [(self._prefixed[index], sure) for index, sure in members[value]], rows

    def _grouped(self, stems: list[str]) -> tuple[dict[str, int], dict[int, tuple[_Candidate, ...]]]:
        """Group of each stem, and candidates of each group. Chunks are parsed beside each other."""
        with self._lock:
            if len(self._known) + len(stems) > _REMEMBER:
                self._known.clear()
            group = {stem: self._group(stem) for stem in stems}
            return group, {number: key for key, number in self._groups.items()}

    def _group(self, stem: str) -> int:
        if (number := self._known.get(stem)) is None:
            fits = (
                (index, stem.startswith(pattern.literal) and pattern.match == "prefix")
                for index, pattern in enumerate(self._prefixed)
                if stem.startswith(pattern.literal) or pattern.literal.startswith(stem)
            )
            number = self._groups.setdefault(tuple(fits), len(self._groups))
            self._known[stem] = number
        return number


def taken(series: pl.Series, rows: Rows) -> pl.Series:
    """`series` at these places; itself if that is all of them."""
    return series if len(rows) == len(series) and (len(rows) == 0 or rows[0] == 0) else series[rows]


def _share(
    candidates: Sequence[tuple[Pattern, bool]], rows: Rows, keys: pl.Series, quoted: pl.Series | None
) -> Iterator[Match]:
    """Each of these lines to the first candidate that accepts it."""
    keys = taken(keys, rows)
    quoted = None if quoted is None else taken(quoted, rows)
    for pattern, sure in candidates:
        if not len(rows):
            return
        begins = None if sure else _begins(pattern, keys, quoted)
        if begins is None or begins.all():
            some_rows, some_keys, places = rows, keys, None
        else:
            places = np.flatnonzero(begins.to_numpy())
            some_rows, some_keys = rows[places], keys.filter(begins)
        good, groups = _passes(pattern, some_keys)
        if good is not None and not good.all():
            some_rows, some_keys = some_rows[good], some_keys.filter(pl.Series(good))
            groups = None if groups is None else groups.filter(pl.Series(good))
            places = np.flatnonzero(good) if places is None else places[good]
        if len(some_rows):
            yield Match(pattern, some_rows, some_keys, groups)
        if places is None:
            return
        left = np.ones(len(rows), np.bool_)
        left[places] = False
        rows, keys = rows[left], keys.filter(pl.Series(left))
        quoted = None if quoted is None else quoted.filter(pl.Series(left))


def _begins(pattern: Pattern, keys: pl.Series, quoted: pl.Series | None) -> pl.Series:
    """Whether each key has the pattern's literal in its place."""
    if pattern.match == "contains":
        return keys.str.contains(pattern.literal, literal=True)
    test = keys.str.starts_with(pattern.literal)
    if pattern.match == "exact":
        rest = keys.str.strip_prefix(pattern.literal)
        ends = (rest == "") | rest.str.starts_with('"')
        in_quotes = pl.Series([False]) if quoted is None else quoted
        test &= ends | (rest.str.starts_with(" ") & ~in_quotes)
    return test


def _passes(pattern: Pattern, keys: pl.Series) -> tuple[npt.NDArray[np.bool_] | None, pl.DataFrame | None]:
    """Which keys the pattern's regex accepts, and its groups where a fact is made of them."""
    if pattern.regex is None or keys.is_empty():
        return None, None
    if not any(spec.regex == pattern.regex and HAS_GROUPS.search(pattern.regex) for spec in pattern.facts):
        return keys.str.contains(pattern.regex).to_numpy(), None
    groups = keys.str.extract_groups(pattern.regex).struct.unnest()
    if not groups.to_series(0).has_nulls():
        return None, groups
    good = ~groups.select(pl.all_horizontal(pl.all().is_null())).to_series()
    if not good.all():
        # All groups can be absent from a text that is accepted.
        empty = np.flatnonzero(~good.to_numpy())
        good = good.scatter(empty, keys[empty].str.contains(pattern.regex))
    return good.to_numpy(), groups
