"""Writes Parquet with polars, by its defaults: Zstandard, and row groups of about 100,000 rows.

    with-polars.py                            prints the version
    with-polars.py write CSV FILE CODEC TYPES writes the rows of a CSV file as Parquet

TYPES is JSON: DuckDB's type of each column.

Needs `pip install polars`.
"""

import json
import re
import sys

import polars

TYPES = {
    "BIGINT": polars.Int64,
    "INTEGER": polars.Int32,
    "VARCHAR": polars.String,
    "DOUBLE": polars.Float64,
    "JSON": polars.String,
}


def polars_type(name):
    if name.startswith("DECIMAL"):
        return polars.Decimal(*(int(digits) for digits in re.findall(r"\d+", name)))
    return TYPES[name]


def column_of(name, sql_type):
    column = polars.col(name)
    if sql_type.startswith("TIMESTAMP"):
        zone = "UTC" if sql_type == "TIMESTAMPTZ" else None
        return column.str.to_datetime(time_unit="us", time_zone=zone)
    if sql_type == "DATE":
        return column.str.to_date()
    if sql_type == "BOOLEAN":
        return column == "true"
    return column.cast(polars_type(sql_type))


def write(csv, file, codec, types):
    rows = polars.read_csv(csv, infer_schema=False)
    columns = [column_of(name, sql_type) for name, sql_type in json.loads(types).items()]
    rows.select(columns).write_parquet(file, compression=codec)


if len(sys.argv) == 1:
    print(polars.__version__)
else:
    command, *words = sys.argv[1:]
    {"write": write}[command](*words)
