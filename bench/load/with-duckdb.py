"""Loads files into PostgreSQL, and writes Parquet, with DuckDB.

    with-duckdb.py                       prints the version
    with-duckdb.py load URL TABLE FILE   loads NDJSON or Parquet, which the file's name tells
    with-duckdb.py write CSV FILE CODEC  writes the rows of a CSV file as Parquet

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


def rows_of(file):
    if file.endswith(".parquet"):
        return f"read_parquet('{file}')"
    columns = ", ".join(f"{name}: '{sql_type}'" for name, sql_type in COLUMNS.items())
    return f"read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})"


def load(url, table, file):
    connection.execute(f"ATTACH '{url}' AS pg (TYPE postgres)")
    connection.execute(f"INSERT INTO pg.public.{table} SELECT {', '.join(COLUMNS)} FROM {rows_of(file)}")


def write(csv, file, codec):
    columns = ", ".join(f"'{name}': '{sql_type}'" for name, sql_type in COLUMNS.items())
    rows = f"read_csv('{csv}', header = true, columns = {{{columns}}})"
    connection.execute(f"COPY (SELECT * FROM {rows}) TO '{file}' (FORMAT parquet, COMPRESSION {codec})")


connection = connect()
if len(sys.argv) == 1:
    print(duckdb.__version__)
else:
    command, *words = sys.argv[1:]
    {"load": load, "write": write}[command](*words)
