"""The rule author's tables: one documented SQL view each, over the derived tables of a case."""

from .views import ViewColumn, create_views, describe_views

__all__ = ["ViewColumn", "create_views", "describe_views"]
