"""Loads Parquet into PostgreSQL with pyarrow and ADBC, and writes Parquet with pyarrow.

    with-arrow.py                       prints the versions
    with-arrow.py load URL TABLE FILE   loads Parquet
    with-arrow.py write CSV FILE KIND   writes the rows of a CSV file. KIND is a codec, or `spark`: then
                                        timestamps are INT96, and decimals are bytes, as Spark writes them

Needs `pip install pyarrow adbc-driver-postgresql`.
"""

import sys

import adbc_driver_postgresql
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from adbc_driver_postgresql import dbapi

COLUMNS = {
    "id": pyarrow.int64(),
    "quantity": pyarrow.int32(),
    "name": pyarrow.string(),
    "score": pyarrow.float64(),
    "price": pyarrow.decimal128(18, 2),
    "active": pyarrow.bool_(),
    "created_at": pyarrow.timestamp("us", "UTC"),
    "attributes": pyarrow.string(),
}


def load(url, table, file):
    parquet = pyarrow.parquet.ParquetFile(file)
    batches = pyarrow.RecordBatchReader.from_batches(parquet.schema_arrow, parquet.iter_batches())
    with dbapi.connect(url) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest(table, batches, mode="append")
        connection.commit()


def write(csv, file, kind):
    types = pyarrow.csv.ConvertOptions(column_types=COLUMNS)
    rows = pyarrow.csv.read_csv(csv, convert_options=types)
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
