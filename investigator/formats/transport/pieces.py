"""Lines that a transport cut into pieces, put together again: docker (16 KiB), CRI (`P`), journald (48 KiB)."""

from __future__ import annotations

import polars as pl

#: The pieces of one line stand at most this many rows apart; between them may be lines of the other stream.
WINDOW = 200


def join_pieces(rows: pl.DataFrame) -> pl.DataFrame:
    """Join rows whose `goes_on` is set with the next row of the same `piece`.

    The first row gets the whole text, and in `span` the lines of the pieces that follow it directly. A piece that
    stands apart stays as an empty row, so that its line is accounted for.
    """
    if not rows["goes_on"].any():
        return rows
    numbered = rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")).sort("piece", "row")
    gap = pl.col("row").cast(pl.Int64).diff().over("piece")
    linked = (pl.col("goes_on").shift(1, fill_value=False).over("piece") & (gap <= WINDOW)).fill_null(False)
    chained = numbered.with_columns(linked.alias("linked"), (gap == 1).fill_null(False).alias("next"))
    chained = chained.with_columns((~pl.col("linked")).cum_sum().alias("chain"))
    close = (~pl.col("linked") | pl.col("next")).cast(pl.Int8).cum_min().over("chain") == 1
    chained = chained.with_columns(close.alias("close"))
    whole = chained.group_by("chain").agg(
        pl.col("payload").str.join("").alias("whole"), pl.col("span").filter("close").sum().alias("whole_span")
    )
    first = ~pl.col("linked")
    return (
        chained.join(whole, on="chain", how="left")
        .filter(first | ~pl.col("close"))
        .with_columns(
            pl.when(first).then("whole").otherwise(pl.lit("")).alias("payload"),
            pl.when(first).then("whole_span").otherwise("span").cast(pl.Int32).alias("span"),
            pl.lit(False).alias("goes_on"),
        )
        .select(rows.columns)
        .sort("row")
    )
