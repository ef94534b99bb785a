"""Facts → derived tables: pure functions, tables in and tables out."""

from .pipeline import correlate

__all__ = ["correlate"]
