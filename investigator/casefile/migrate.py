"""Brings an older case to this program's layout: facts are kept, derived tables are made anew from them."""

from __future__ import annotations

import shutil
from functools import cache
from hashlib import blake2b
from pathlib import Path

import duckdb

from investigator.casefile.derived import DerivedTable, derived_tables
from investigator.formats.facts import FactTable, fact_tables
from investigator.sqltext import sql_reader

_sql = sql_reader(__package__)

#: Version of the account's tables (schema `meta`); `migrations/<version>.sql` leads to it from the one before.
CASE_VERSION = 2


@cache
def layout_digest() -> str:
    """Digest of every table's columns: another one means that the case was made by another release."""
    tables: list[FactTable | DerivedTable] = [*fact_tables().values(), *derived_tables().values()]
    text = "\n".join(f"{t.name}: {', '.join(f'{c.name} {c.type}' for c in t.columns)}" for t in tables)
    return blake2b(f"{CASE_VERSION}\n{text}".encode(), digest_size=8).hexdigest()


def create_table(schema: str, table: FactTable | DerivedTable) -> str:
    """SQL that makes a table of the case where it is missing."""
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    return f"CREATE TABLE IF NOT EXISTS {schema}.{table.name} ({columns})"


def backup_path(path: Path, version: int) -> Path:
    """Where the case is kept as it was before a migration."""
    return path.with_name(f"{path.name}.v{version}.bak")


def back_up(path: Path, version: int) -> Path:
    """Copy a closed case aside. An earlier backup of the same version is the older truth and stays."""
    target = backup_path(path, version)
    if not target.exists():
        temporary = target.with_name(target.name + ".tmp")
        shutil.copyfile(path, temporary)
        temporary.chmod(0o600)
        temporary.replace(target)
    return target


def migrate(con: duckdb.DuckDBPyConnection, version: int) -> None:
    """Change an open case of an older `version`; call it within a transaction."""
    for step in range(version + 1, CASE_VERSION + 1):
        con.execute(_sql(f"migrations/{step}"))
    columns = _sql("columns")
    for table in fact_tables().values():
        con.execute(create_table("facts", table))
        known = {name for (name,) in con.execute(columns, ["facts", table.name]).fetchall()}
        for column in table.columns:
            if column.name not in known:
                con.execute(f'ALTER TABLE facts.{table.name} ADD COLUMN "{column.name}" {column.type}')
    for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'derived'").fetchall():
        con.execute(f'DROP TABLE derived."{name}" CASCADE')
    for derived in derived_tables().values():
        con.execute(create_table("derived", derived))
    con.execute(_sql("layout"), layout_info())


def layout_info() -> dict[str, str]:
    """What a case says of its layout."""
    return {"version": str(CASE_VERSION), "layout": layout_digest()}
