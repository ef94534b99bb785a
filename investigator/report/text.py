"""Numbers, times and foreign text as a report shows them, in its language."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from investigator.report.language import _, figures
from investigator.rulebook.findings import Value

UNKNOWN = "not known"
_GIB = 1024**3

#: Characters that move, hide or recolour text: C0 and C1 controls but tab and newline, soft hyphen, zero-width and
#: bidirectional marks (Unicode TR 36, "Trojan Source"), separators, variation tags, byte order mark, surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_NAMED = {0x1B: "ESC", 0x0D: "CR", 0x00: "NUL", 0x08: "BS", 0x07: "BEL"}


class Shown(NamedTuple):
    """A value as printed, and in full (for a tooltip): `366.9 s` and `366.9 seconds`."""

    text: str
    exact: str


def visible(text: str) -> str:
    """`text` with every control, zero-width and bidirectional character replaced by a mark such as ⟨U+202E⟩."""
    return _INVISIBLE.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"⟨{_NAMED.get(code) or f'U+{code:04X}'}⟩"


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, and how many more there were."""
    return (
        text if len(text) <= limit else f"{text[:limit]} … ({figures(f'{len(text) - limit:,}')} {_('more characters')})"
    )


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 failed call`, `3 failed calls`."""
    return f"{figures(f'{count:,}')} {_(one if count == 1 else many or one + 's')}"


def share_of(share: float) -> str:
    """A share as per cent: whole ones from 10 %, else one digit behind the point."""
    percent = share * 100
    return figures(f"{percent:.0f}" if percent >= 10 or percent == 0 else f"{percent:.1f}") + " %"


def number(value: float) -> str:
    """Thousands separated; at most four significant digits behind the point; powers of ten for the very small."""
    if isinstance(value, int) or (math.isfinite(value) and value == int(value) and abs(value) < 1e15):
        return figures(f"{int(value):,}")
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else _(UNKNOWN)
    size = abs(value)
    if size < 1e-3:
        mantissa, exponent = f"{value:.3e}".split("e")
        return figures(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")
    digits = 1 if size >= 10 else 2 if size >= 1 else 3
    told = f"{value:,.{digits}f}"
    return figures(told.rstrip("0") if size < 1 else told)


def duration(seconds: float) -> str:
    """`0.42 s`, `18.5 s`, `5 min`, `6 min 15 s`, `2 h 5 min`, `3 d 4 h`: two parts at most."""
    if not math.isfinite(seconds):
        return _(UNKNOWN) if math.isnan(seconds) else _("for ever")
    if seconds < 0:
        return "−" + duration(-seconds)
    if 0 < seconds < 0.0095:
        return figures(f"{seconds * 1000:.2g}") + " ms"
    if seconds < 59.95:
        return figures(f"{round(seconds, 3 if seconds < 1 else 2 if seconds < 10 else 1):g}") + " s"
    whole = round(seconds)
    for size, name, below, below_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            major, rest = divmod(whole, size)
            minor = rest // below
            return f"{major:,} {name}" + (f" {minor} {below_name}" if minor else "")
    return f"{whole} s"


def size(count: float) -> str:
    """Bytes in binary units: `17.3 GiB`."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if abs(amount) < 1024 or unit == "GiB":
            return figures(f"{amount:,.0f}" if unit == "bytes" else f"{amount:,.1f}") + f" {_(unit)}"
        amount /= 1024
    raise AssertionError("unreachable")


def local(moment: datetime, zone_offset_s: int | None) -> datetime:
    """`moment` (UTC when naive) in the zone of that offset; UTC when the zone is not known."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return aware.astimezone(timezone(timedelta(seconds=zone_offset_s or 0)))


def zone_name(zone_offset_s: int | None) -> str:
    """`UTC+01:00`; `UTC` where nothing is known or the offset is zero."""
    if not zone_offset_s:
        return "UTC"
    sign, rest = ("−" if zone_offset_s < 0 else "+"), abs(zone_offset_s)
    return f"UTC{sign}{rest // 3600:02d}:{rest % 3600 // 60:02d}"


def zone_words(zone_offset_s: int | None) -> str:
    """The zone of the page's times, and that it is a guess where it is one."""
    return zone_name(zone_offset_s) + ("" if zone_offset_s is not None else _(" (the server’s zone is not known)"))


def clock(moment: datetime | None, zone_offset_s: int | None, *, with_date: bool = False) -> Shown:
    """Time of day in the server's zone; the exact form carries date, fraction and offset."""
    if moment is None:
        return Shown(_(UNKNOWN), _(UNKNOWN))
    there = local(moment, zone_offset_s)
    exact = there.isoformat(sep=" ", timespec="milliseconds")
    return Shown(there.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M:%S"), exact)


def model_name(model: str) -> str:
    """A model's name; of a file in Ollama's store the beginning of its hash."""
    name = model.rpartition("/")[2] if "/blobs/" in model else model
    return f"{name[:19]}…" if name.startswith("sha256-") and len(name) > 20 else name


_UNITS = {"tokens": "tokens", "tps": "tokens/s", "s/tok2": "s/token²", "ratio": "", "bytes": "bytes",
          "bytes/tok": "bytes", "s": "s", "count": ""}  # fmt: skip


def quantity(value: Value, unit: str | None, zone_offset_s: int | None = None) -> Shown:
    """A value of a step or a column with its unit. Seconds stay seconds: a sum must be checkable by eye."""
    if value is None:
        return Shown(_(UNKNOWN), _(UNKNOWN))
    if isinstance(value, bool):
        return Shown(_("yes") if value else _("no"), str(value).lower())
    if isinstance(value, datetime):
        return clock(value, zone_offset_s, with_date=True)
    if isinstance(value, str):
        return Shown(value, value)
    name = _(_UNITS.get(unit or "", unit or ""))
    exact = f"{figures(f'{value:,}')} {name}".strip()
    if unit in {"bytes", "bytes/tok"}:
        return Shown(size(value), exact)
    if unit == "ratio" and 0 <= value <= 1:
        return Shown(f"{number(round(value * 100, 3))} %", figures(f"{value:,}"))
    if unit == "s" and 0 < abs(value) < 0.01:
        return Shown(f"{number(float(f'{value * 1000:.3g}'))} ms", exact)
    if unit == "s":
        return Shown(f"{number(value)} s", f"{exact} = {duration(value)}")
    return Shown(f"{number(value)} {name}".strip(), exact)


def seconds(value: Value) -> Shown:
    """A duration for reading: humanised, exact seconds beside."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Shown(_(UNKNOWN), _(UNKNOWN))
    return Shown(duration(value), figures(f"{value:,}") + " s")
