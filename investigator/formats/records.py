"""Records that span lines: what a console of fixed width broke apart is joined, and blocks are marked.

A block is opened by a line of known form and holds only what may follow it; its lines are not guessed at on their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from investigator.formats.heads import Head

#: Longest record joined from wrapped lines, in lines.
LONGEST = 60

#: Longest chat template, in lines.
LONGEST_TEMPLATE = 400

# A line of its own: everything else may be the rest of a wrapped record.
_STARTS = (
    r"^(?:\s|time=|\[|\d{4}/\d\d/\d\d |\{|slot |srv |que |res |cmn |spec |main: |\.\.\.|goroutine |At line:|\+ |$"
    r"|\d+\.\d\d\.\d{3}\.\d{3} |(?:INFO|WARN|ERROR|DEBUG|VERB) (?:\[|source=)|level=[A-Z]+ |source=\S+ msg="
    r"|prompt eval time|[~a-z_][\w:~<>-]*(?:\(\))?: )"
)
# What looks like a function's name can be the rest of a quoted text.
_NAMED = r"^[~a-z_][\w:~<>-]*: "
# People break an Ollama line before its fields, and indent them.
_FIELD = r"^\s+\"?[A-Za-z][\w. ]*\"?=\S"
_FIELDED = r"^(?:time=|level=[A-Z]|(?:DEBUG|INFO|WARN|ERROR) source=).*\bmsg="
_EXAMPLE_OPENS = r"(?:example_format|chat_example): '"
_TEMPLATE_OPENS = r"(?:example_format|chat_example): '|chat template, chat_template: "
_AFTER_TEMPLATE = r"^(?:time=|\[GIN\]|srv  |slot |que  |main: |\d+\.\d\d\.\d{3}\.\d{3} )"
_TIMING_HEADER = r"^slot\s+\S+: id\s+(-?\d+) \| task\s+(-?\d+) \|\s*$"
_TIMING = r"^\s*(?:prompt eval|eval|total) time = "
_TIMING_LINES = 3


# Several times faster than the same literals by `contains_any`, and than the expression above.
_TEMPLATE_LITERALS = "format: '|example: '|chat_template: "
# Heads of lines that are the beginning of a record for sure.
_STARTING = [Head.TIME, Head.GIN, Head.SERVER, Head.RUNNER, Head.BLANK, Head.BRACE]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Records:
    """rows: one per record, with columns span (lines), slot and task (of the timing block it stands in), block.

    open_at: line number at which a record begins that the next chunk may continue; None if the chunk ends cleanly.
    """

    rows: pl.DataFrame
    open_at: int | None


def join_records(rows: pl.DataFrame) -> Records:
    """Join wrapped lines and mark blocks. `rows` has row, line_no, byte_offset, payload, span, head."""
    joined, wrapped_open = _join_wrapped(_join_fields(rows))
    timed, timing_open = _timing_blocks(joined)
    blocked, template_open = _template_blocks(timed)
    borders = [border for border in (wrapped_open, timing_open, template_open) if border is not None]
    return Records(blocked, min(borders) if borders else None)


def _starts(rows: pl.DataFrame) -> Mask:
    """Which rows begin a record."""
    sure = rows["head"].is_in(_STARTING)
    starts = sure.to_numpy().copy()
    if not starts.all():
        starts[~starts] = rows["payload"].filter(~sure).str.contains(_STARTS).to_numpy()
        after_time = np.flatnonzero((rows["head"] == Head.TIME).to_numpy()[:-1] & ~sure.to_numpy()[1:] & starts[1:])
        quoting = rows.select("payload", "head")[after_time].select(_odd_quotes() % 2 == 1).to_series().to_numpy()
        inside = after_time[quoting.astype(np.bool_)] + 1
        starts[inside[rows["payload"].gather(inside).str.contains(_NAMED).to_numpy().astype(np.bool_)]] = False
    return starts


def _join_fields(rows: pl.DataFrame) -> pl.DataFrame:
    """Indented fields joined to the Ollama line above them."""
    text = pl.col("payload")
    likely = rows["head"] == Head.BLANK
    field = np.zeros(rows.height, np.bool_)
    if likely.any():
        field[likely.to_numpy()] = rows["payload"].filter(likely).str.contains(_FIELD).to_numpy()
    if not field.any():
        return rows
    group = np.cumsum(~field)
    touched = pl.Series(np.isin(group, group[field]))
    parts = rows.filter(touched).with_columns(
        group=pl.Series(group).filter(touched), field=pl.Series(field).filter(touched)
    )
    ours = text.first().over("group").str.contains(_FIELDED)
    parts = parts.with_columns(linked=pl.col("field") & ours)
    record = (~pl.col("linked")).cum_sum().alias("record")
    keep = [name for name in rows.columns if name not in ("payload", "span")]
    joined = parts.group_by(record, maintain_order=True).agg(
        *(pl.col(name).first() for name in keep),
        pl.when(pl.col("linked")).then(text.str.strip_chars()).otherwise(text.str.strip_chars_end()).str.join(" "),
        pl.col("span").sum(),
    )
    whole = pl.concat([rows.filter(~touched), joined.select(rows.columns)]).sort("row")
    return whole.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))


def _open_end() -> pl.Expr:
    """A blank at the end is where the console broke the line."""
    return pl.col("payload").str.ends_with(" ")


def _odd_quotes() -> pl.Expr:
    text = pl.col("payload")
    quotes = text.str.count_matches('"', literal=True) - text.str.count_matches(r"\"", literal=True)
    return pl.when(text.str.starts_with("time=")).then(quotes).otherwise(0)


def _join_wrapped(rows: pl.DataFrame) -> tuple[pl.DataFrame, int | None]:
    last_open = _open_alone(rows.tail(1))
    starts = _starts(rows)
    group = np.cumsum(starts)
    following = _following(rows, starts)
    if not len(following):
        return rows, last_open
    touched = pl.Series(np.isin(group, group[following]))
    marked = rows.with_columns(_open_end().alias("open"), starts=pl.Series(starts), group=pl.Series(group))
    linked = _linked(marked.filter(touched))
    end = linked.tail(1)
    if end["row"].item() == rows.height - 1 and end["goes_on"].item() and (end["linked"] | end["starts"]).item():
        last_open = _first_line(linked)
    whole = pl.concat([rows.filter(~touched), _glue(linked).select(rows.columns)]).sort("row")
    return whole.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")), last_open


def _following(rows: pl.DataFrame, starts: Mask) -> npt.NDArray[np.intp]:
    """Rows that begin nothing, after a row that is open."""
    rest = np.flatnonzero(~starts)
    rest = rest[rest > 0]
    if not len(rest):
        return rest
    before = rows.select("payload")[rest - 1]
    is_open = before.select(_open_end() | (_odd_quotes() % 2 == 1)).to_series()
    open_rows: npt.NDArray[np.intp] = rest[is_open.fill_null(False).to_numpy()]
    return open_rows


def _open_alone(tail: pl.DataFrame) -> int | None:
    """Line number of a stream's last line if it is the beginning of a wrapped Ollama line."""
    if tail.is_empty():
        return None
    slog = pl.col("payload").str.contains(_FIELDED)
    is_open = tail.select((_odd_quotes() % 2 == 1) | slog).item()
    return int(tail["line_no"].item()) if is_open else None


def _linked(groups: pl.DataFrame) -> pl.DataFrame:
    """Add goes_on (the record is open after this line) and linked (this line belongs to the one before)."""
    text = pl.col("payload")
    quotes = text.str.count_matches('"', literal=True) - text.str.count_matches(r"\"", literal=True)
    in_slog = text.first().over("group").str.starts_with("time=")
    parity = (quotes.cum_sum().over("group") % 2 == 1) & in_slog
    groups = groups.with_columns(
        (pl.col("open") | parity).alias("goes_on"), pl.int_range(pl.len()).over("group").alias("n")
    )
    before = pl.col("goes_on").shift(1, fill_value=False).cast(pl.Int8)
    chain = pl.when(pl.col("n") == 0).then(pl.lit(1, pl.Int8)).otherwise(before).cum_min().over("group") == 1
    return groups.with_columns((chain & ~pl.col("starts") & (pl.col("n") < LONGEST)).alias("linked"))


def _glue(linked: pl.DataFrame) -> pl.DataFrame:
    """One row per record: its first line's columns, the texts joined, the spans added up."""
    keep = [name for name in linked.columns if name not in ("payload", "span")]
    record = (~pl.col("linked")).cum_sum().alias("record")
    return linked.group_by(record, maintain_order=True).agg(
        *(pl.col(name).first() for name in keep), pl.col("payload").str.join(""), pl.col("span").sum()
    )


def _first_line(linked: pl.DataFrame) -> int:
    return int(linked.filter(~pl.col("linked"))["line_no"].item(-1))


def _timing_blocks(rows: pl.DataFrame) -> tuple[pl.DataFrame, int | None]:
    """The three bare timing lines after a `slot print_timing: id 0 | task 12 | ` get that slot and task."""
    header = _timing_headers(rows)
    nothing = (
        pl.lit(None, pl.Int32).alias("slot"),
        pl.lit(None, pl.Int64).alias("task"),
        pl.lit(None, pl.String).alias("block"),
    )
    if not header.any():
        return rows.with_columns(*nothing), None
    headers = header.arg_true()
    numbers = rows["payload"].gather(headers).str.extract_groups(_TIMING_HEADER).struct.unnest()
    inside, under = _inside_blocks(rows["payload"], headers.to_numpy())
    given = numbers.select(pl.first().cast(pl.Int32), pl.last().cast(pl.Int64))[under]
    marked = rows.with_columns(nothing)
    marked = marked.with_columns(
        marked["slot"].scatter(inside, given.to_series(0)),
        marked["task"].scatter(inside, given.to_series(1)),
        pl.when(header).then(pl.lit("timing-header")).alias("block"),
    )
    last = int(header.arg_true()[-1])
    after = rows.slice(last + 1)
    unfinished = after.height < _TIMING_LINES and after["payload"].str.contains(_TIMING).all()
    return marked, rows["line_no"].item(last) if unfinished else None


def _inside_blocks(
    text: pl.Series, headers: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of the timing lines near below a header, and which header that is."""
    place = np.arange(len(text))
    under = np.searchsorted(headers, place, "right") - 1
    near = np.flatnonzero((under >= 0) & (place - headers[under] <= 2 * _TIMING_LINES))
    timing = near[text.gather(near).str.contains(_TIMING).fill_null(False).to_numpy()]
    return timing, under[timing]


def _timing_headers(rows: pl.DataFrame) -> pl.Series:
    """Which rows are the first line of a timing block: nothing stands after their last bar."""
    text = pl.col("payload")
    bare = text.str.ends_with(" ") | text.str.ends_with("|") | text.str.ends_with("\t")
    header = np.zeros(rows.height, np.bool_)
    server = rows["head"] == Head.SERVER
    texts = rows.select("payload").filter(server)
    texts = texts.with_columns(bare.alias("bare"))
    if texts["bare"].any():
        places = np.flatnonzero(server.to_numpy())[texts["bare"].to_numpy()]
        header[places] = texts["payload"].filter(texts["bare"]).str.contains(_TIMING_HEADER).to_numpy()
    return pl.Series("header", header)


def _template_blocks(rows: pl.DataFrame) -> tuple[pl.DataFrame, int | None]:
    """The lines of a chat template and of its example, which llama-server prints raw over many lines."""
    text = pl.col("payload")
    # Ollama's own lines hold no template.
    unsure = ~rows["head"].is_in([Head.TIME, Head.GIN])
    if not rows["payload"].filter(unsure).str.contains(_TEMPLATE_LITERALS).any():
        return rows, None
    opens = rows.select(text.str.contains(_TEMPLATE_OPENS)).to_series()
    if not opens.any():
        return rows, None
    place = pl.int_range(pl.len())
    near = place - pl.when(opens).then(place).forward_fill() < LONGEST_TEMPLATE
    group = rows.with_columns(opens.alias("opens"), opens.cum_sum().alias("group")).filter(near)
    place = pl.int_range(pl.len()).over("group")
    example = text.first().over("group").str.contains(_EXAMPLE_OPENS)
    own_line = text.str.contains(_AFTER_TEMPLATE) & ~pl.col("opens")
    ends = (example & text.str.ends_with("'") & ((place > 0) | ~text.str.ends_with(": '"))) | own_line
    ended = ends.cast(pl.Int32).cum_sum().over("group")
    inside = ~own_line & (ended - ends.cast(pl.Int32) == 0)
    group = group.with_columns(inside.alias("inside"), ended.max().over("group").alias("ended"))
    members = group.filter("inside")["row"].implode()
    kind = pl.when(pl.col("row").is_in(members)).then(pl.lit("chat-template-example")).otherwise(pl.col("block"))
    last = int(opens.arg_true()[-1])
    unfinished = group["ended"].item(-1) == 0 and rows.height - last < LONGEST_TEMPLATE
    return rows.with_columns(kind.alias("block")), rows["line_no"].item(last) if unfinished else None
