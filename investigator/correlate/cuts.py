"""What a cut leaves of a prompt, and the window it tells of: a different rule in each era (ollama-logs.md §3.8)."""

from __future__ import annotations

import polars as pl

from .schema import PlacedFrames

_INT = pl.Int64()
#: Releases as one number: 0.30.11 is 30_011.
_NEW_RUNNER = 30_000  # llama-server as a child: the limit is the window, one token less is left
_LESS_ONE = 30_009  # the limit is what is left: one token less than the window
_HALF = 30_011  # the limit is what is left: about half the window
_CHILD = "llama_server.go"
#: Windows are set by people: a limit one below a multiple of this is a window less one.
_ROUND_TOKENS = 256


def release_number(version: pl.Expr) -> pl.Expr:
    """0.30.11 → 30_011, so that releases compare; NULL for what is no release (`0.0.0` is self-built)."""
    part = version.str.extract_groups(r"^v?(\d+)\.(\d+)\.(\d+)").struct.field
    number = sum(part(name).cast(_INT) * unit for name, unit in (("1", 1_000_000), ("2", 1_000), ("3", 1)))
    return pl.when(number > 0).then(number)


def token_cuts(placed: PlacedFrames, versions: pl.DataFrame) -> pl.DataFrame:
    """Lines of cuts inside one prompt: cut_prompt (before), cut_keep, cut_new (after), cut_window; NULL if not told.

    versions: stretch, version.
    """
    lines = placed["prompt_truncation"].filter(pl.col("level").fill_null("token") == "token")
    printed_by = placed["line_severity"].select("source_id", "byte_offset", printed_by="origin")
    known = lines.join(versions, on="stretch", how="left", maintain_order="left").join(
        printed_by.unique(["source_id", "byte_offset"], keep="any"),
        on=["source_id", "byte_offset"],
        how="left",
        maintain_order="left",
    )
    limit, keep, new = pl.col("limit_tokens"), pl.col("keep_tokens"), pl.col("new_tokens")
    blocks = keep + pl.col("shift_tokens")
    left = pl.coalesce(new, blocks, pl.when(pl.col("prompt_tokens").is_not_null()).then(limit))
    return known.with_columns(
        cut_prompt=pl.coalesce("prompt_tokens", blocks + pl.col("erase_tokens")),
        cut_keep=keep,
        cut_new=left,
        cut_window=_window(limit, keep.fill_null(0), left),
        cut_line="line_no",
    )


def _window(limit: pl.Expr, keep: pl.Expr, left: pl.Expr) -> pl.Expr:
    """The window of one request. Two windows leave the same half; the even one is taken, people set no odd ones."""
    release = release_number(pl.col("version"))
    of_child = pl.col("printed_by").str.starts_with(_CHILD).fill_null(False) | (release >= _NEW_RUNNER).fill_null(False)
    double = 2 * left - keep
    half = double - double % 2
    less_one = (limit + 1) % _ROUND_TOKENS == 0
    return (
        pl.when(~of_child | (left == limit - 1))
        .then(limit)
        .when(release >= _HALF)
        .then(half)
        .when((release >= _LESS_ONE) | less_one)
        .then(limit + 1)
        .otherwise(half)
    )
