"""Loads files into PostgreSQL, and writes Parquet, with DuckDB.

    with-duckdb.py                       prints the version
    with-duckdb.py load URL TABLE FILE TYPES   loads NDJSON or Parquet, which the file's name tells
    with-duckdb.py write CSV FILE CODEC TYPES  writes the rows of a CSV file as Parquet

Needs `pip install duckdb duckdb-extension-postgres-scanner`, both of one version, or an extension that DuckDB
may download.
"""

import importlib.util
import json
import pathlib
import sys

import duckdb

def connect():
    connection = duckdb.connect()
    package = importlib.util.find_spec("duckdb_extension_postgres_scanner")
    if package:
        (extension,) = pathlib.Path(package.origin).parent.glob("extensions/*/*.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
    else:
        connection.execute("INSTALL postgres; LOAD postgres")
    return connection


def struct_of(types):
    return ", ".join(f"'{name}': '{sql_type}'" for name, sql_type in json.loads(types).items())


def rows_of(file, types):
    if file.endswith(".parquet"):
        return f"read_parquet('{file}')"
    return f"read_json('{file}', format = 'newline_delimited', columns = {{{struct_of(types)}}})"


def load(url, table, file, types):
    connection.execute(f"ATTACH '{url}' AS pg (TYPE postgres)")
    names = ", ".join(json.loads(types))
    connection.execute(f"INSERT INTO pg.public.{table} SELECT {names} FROM {rows_of(file, types)}")


def write(csv, file, codec, types):
    rows = f"read_csv('{csv}', header = true, columns = {{{struct_of(types)}}})"
    connection.execute(f"COPY (SELECT * FROM {rows}) TO '{file}' (FORMAT parquet, COMPRESSION {codec})")


connection = connect()
if len(sys.argv) == 1:
    print(duckdb.__version__)
else:
    command, *words = sys.argv[1:]
    {"load": load, "write": write}[command](*words)
