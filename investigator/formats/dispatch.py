"""Which pattern a line belongs to: a table from the line's first characters to the few literals that may follow.

No loop over lines: lines with the same candidates go together, so each literal is only compared with its own part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from investigator.formats.patterns import Pattern

#: Characters of a line that choose the candidates.
STEM = 12

# Stems are remembered between chunks up to this number; a log with ever new first words must not fill the memory.
_REMEMBER = 50_000


class Dispatcher:
    """Splits lines among patterns by the start of their key, then by what the key contains."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._prefixed = [pattern for pattern in patterns if pattern.match != "contains"]
        self._contained = [pattern for pattern in patterns if pattern.match == "contains"]
        self._groups: dict[tuple[int, ...], int] = {(): 0}
        self._known: dict[str, int] = {}

    def assign(self, lines: pl.DataFrame) -> Iterator[tuple[Pattern, pl.DataFrame]]:
        """Pairs of a pattern and the lines (column `key`) it accounts for; a line is given to one pattern only.

        Lines that no pattern wants are not returned. Of patterns with the same literal the first whose regex accepts a
        line gets it.
        """
        taken: list[pl.Series] = []
        for candidates, part in self._parts(lines):
            for pattern, matched in _share(candidates, part):
                taken.append(matched["row"])
                yield pattern, matched
        if self._contained:
            rest = lines.filter(~pl.col("row").is_in(pl.concat(taken).implode())) if taken else lines
            yield from self._containing(rest)

    def _containing(self, rest: pl.DataFrame) -> Iterator[tuple[Pattern, pl.DataFrame]]:
        literals = list(dict.fromkeys(pattern.literal for pattern in self._contained))
        rest = rest.filter(pl.col("key").str.contains_any(literals))
        if rest.height:
            yield from _share(self._contained, rest)

    def _parts(self, lines: pl.DataFrame) -> Iterator[tuple[list[Pattern], pl.DataFrame]]:
        stems = lines["key"].str.slice(0, STEM)
        distinct = stems.unique()
        if len(self._known) + len(distinct) > _REMEMBER:
            self._known.clear()
        group = {stem: self._group(stem) for stem in distinct.drop_nulls().to_list()}
        numbers = stems.replace_strict(group, default=0, return_dtype=pl.Int32)
        chosen = lines.with_columns(numbers.alias("group")).filter(pl.col("group") != 0)
        members = {number: key for key, number in self._groups.items()}
        for number, part in chosen.partition_by("group", as_dict=True, include_key=False).items():
            yield [self._prefixed[index] for index in members[int(number[0])]], part

    def _group(self, stem: str) -> int:
        if (number := self._known.get(stem)) is None:
            fits = (
                index
                for index, pattern in enumerate(self._prefixed)
                if stem.startswith(pattern.literal) or pattern.literal.startswith(stem)
            )
            number = self._groups.setdefault(tuple(fits), len(self._groups))
            self._known[stem] = number
        return number


def _share(candidates: Sequence[Pattern], part: pl.DataFrame) -> Iterator[tuple[Pattern, pl.DataFrame]]:
    """Each line of `part` to the first candidate that accepts it."""
    choice = pl.coalesce(pl.when(accepts(pattern)).then(number) for number, pattern in enumerate(candidates))
    chosen = part.with_columns(choice.cast(pl.Int32).alias("choice")).filter(pl.col("choice").is_not_null())
    for number, matched in chosen.partition_by("choice", as_dict=True, include_key=False, maintain_order=True).items():
        yield candidates[int(number[0])], matched


def accepts(pattern: Pattern) -> pl.Expr:
    """Whether a line (columns key, quoted) has the literal in its place and passes the pattern's regex."""
    key = pl.col("key")
    if pattern.match == "contains":
        test = key.str.contains(pattern.literal, literal=True)
    else:
        test = key.str.starts_with(pattern.literal)
    if pattern.match == "exact":
        rest = key.str.strip_prefix(pattern.literal)
        test &= (rest == "") | rest.str.starts_with('"') | (rest.str.starts_with(" ") & ~pl.col("quoted"))
    return test if pattern.regex is None else test & key.str.contains(pattern.regex)
