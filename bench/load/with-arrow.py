"""Loads Parquet into PostgreSQL with pyarrow and ADBC, and writes Parquet with pyarrow.

    with-arrow.py                       prints the versions
    with-arrow.py load URL TABLE FILE TYPES   loads Parquet
    with-arrow.py write CSV FILE KIND TYPES   writes the rows of a CSV file. KIND is a codec, or `spark`: then
                                        timestamps are INT96, and decimals are bytes, as Spark writes them

TYPES is JSON: DuckDB's type of each column.

Needs `pip install pyarrow adbc-driver-postgresql`.
"""

import json
import re
import sys

import adbc_driver_postgresql
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from adbc_driver_postgresql import dbapi

TYPES = {
    "BIGINT": pyarrow.int64(),
    "INTEGER": pyarrow.int32(),
    "VARCHAR": pyarrow.string(),
    "DOUBLE": pyarrow.float64(),
    "BOOLEAN": pyarrow.bool_(),
    "DATE": pyarrow.date32(),
    "TIMESTAMP": pyarrow.timestamp("us"),
    "TIMESTAMPTZ": pyarrow.timestamp("us", "UTC"),
    "JSON": pyarrow.string(),
}


def arrow_type(name):
    if name.startswith("DECIMAL"):
        return pyarrow.decimal128(*(int(digits) for digits in re.findall(r"\d+", name)))
    return TYPES[name]


def load(url, table, file, types):
    parquet = pyarrow.parquet.ParquetFile(file)
    batches = pyarrow.RecordBatchReader.from_batches(parquet.schema_arrow, parquet.iter_batches())
    with dbapi.connect(url) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest(table, batches, mode="append")
        connection.commit()


def write(csv, file, kind, types):
    column_types = {name: arrow_type(one) for name, one in json.loads(types).items()}
    options = pyarrow.csv.ConvertOptions(column_types=column_types, null_values=[""], strings_can_be_null=True)
    rows = pyarrow.csv.read_csv(csv, convert_options=options)
    spark = kind == "spark"
    pyarrow.parquet.write_table(
        rows,
        file,
        compression="snappy" if spark else kind,
        use_deprecated_int96_timestamps=spark,
    )


if len(sys.argv) == 1:
    print(f"{adbc_driver_postgresql.__version__}, pyarrow {pyarrow.__version__}")
else:
    command, *words = sys.argv[1:]
    {"load": load, "write": write}[command](*words)
