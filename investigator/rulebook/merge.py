"""Rows that are told as one: same keys, near in time, one of them shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from investigator.rulebook.model import Merge

Row: TypeAlias = Mapping[str, Any]
KEEP = re.compile(r"(first|last|max|min)(?:\(([a-z][a-z0-9_]*)\))?")
_NEVER = datetime(1, 1, 1)


def order_of(row: Row) -> tuple[bool, datetime, str]:
    """Time, then subject; rows without a time come last."""
    at = row.get("happened_at")
    return at is None, at or _NEVER, str(row["subject"])


def groups(rows: Sequence[Row], merge: Merge | None) -> list[list[Row]]:
    """Members of each finding, in order of time; a row with an unknown key stays alone."""
    ordered = sorted(rows, key=order_of)
    if merge is None:
        return [[row] for row in ordered]
    found: list[list[Row]] = []
    open_groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in ordered:
        key = tuple(row[name] for name in merge.by)
        group = open_groups.get(key)
        if group is not None and None not in key and _near(group[-1], row, merge.gap):
            group.append(row)
        else:
            open_groups[key] = [row]
            found.append(open_groups[key])
    return found


def kept(members: Sequence[Row], merge: Merge | None) -> Row:
    """The member that is shown; of equals the first."""
    match = KEEP.fullmatch(merge.keep) if merge else None
    if match is None or match[1] == "first" or (match[2] is None and match[1] != "last"):
        return members[0]
    if match[1] == "last":
        return members[-1]
    known = [row for row in members if row[match[2]] is not None]
    choose = max if match[1] == "max" else min
    return choose(known, key=lambda row: row[match[2]]) if known else members[0]


def _near(before: Row, after: Row, gap_s: float | None) -> bool:
    if gap_s is None:
        return True
    first, second = before.get("happened_at"), after.get("happened_at")
    return first is not None and second is not None and (second - first).total_seconds() <= gap_s
