"""Loads a file into PostgreSQL with DuckDB: read-json.py URL TABLE FILE. Without arguments: prints the version.

Needs `pip install duckdb duckdb-extension-postgres-scanner`, both of one version, or an extension that DuckDB
may download.
"""

import importlib.util
import pathlib
import sys

import duckdb

COLUMNS = {
    "id": "BIGINT",
    "quantity": "INTEGER",
    "name": "VARCHAR",
    "score": "DOUBLE",
    "price": "DECIMAL(18,2)",
    "active": "BOOLEAN",
    "created_at": "TIMESTAMPTZ",
    "attributes": "JSON",
}


def connect():
    connection = duckdb.connect()
    package = importlib.util.find_spec("duckdb_extension_postgres_scanner")
    if package:
        (extension,) = pathlib.Path(package.origin).parent.glob("extensions/*/*.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
    else:
        connection.execute("INSTALL postgres; LOAD postgres")
    return connection


connection = connect()
if len(sys.argv) == 1:
    print(duckdb.__version__)
else:
    url, table, file = sys.argv[1:]
    connection.execute(f"ATTACH '{url}' AS pg (TYPE postgres)")
    columns = ", ".join(f"{name}: '{sql_type}'" for name, sql_type in COLUMNS.items())
    rows = f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"
    connection.execute(f"INSERT INTO pg.public.{table} SELECT {', '.join(COLUMNS)} FROM {rows}")
