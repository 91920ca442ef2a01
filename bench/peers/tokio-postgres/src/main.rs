//! Writes rows to PostgreSQL as the documentation of tokio-postgres shows it: a binary COPY through
//! `BinaryCopyInWriter`, of structs in memory. Several connections have a part of the rows each.
//!
//! Usage: copy-objects CONNECTION_STRING TABLE FILE CONNECTIONS
//!
//! The file has the rows as COPY's text format. Prints the seconds from the first row to the last COMMIT, and
//! the CPU seconds of this process in that time.

use std::time::Instant;
use std::{env, error::Error, fs, pin::pin};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Client, NoTls};

type Failure = Box<dyn Error + Send + Sync>;

const TYPES: [Type; 8] = [
    Type::INT8,
    Type::INT4,
    Type::TEXT,
    Type::FLOAT8,
    Type::NUMERIC,
    Type::BOOL,
    Type::TIMESTAMPTZ,
    Type::JSONB,
];

struct Row {
    id: i64,
    quantity: i32,
    name: String,
    score: f64,
    price: Decimal,
    active: bool,
    created_at: DateTime<Utc>,
    attributes: Json<Attributes>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Attributes {
    tag: String,
    rank: i32,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = env::args().collect();
    let [_, connection_string, table, file, connections] = words.as_slice() else {
        return Err("usage: copy-objects CONNECTION_STRING TABLE FILE CONNECTIONS".into());
    };
    let rows = fs::read_to_string(file)?
        .lines()
        .map(parse)
        .collect::<Result<Vec<Row>, Failure>>()?;
    let connections: usize = connections.parse()?;
    let rows: &'static [Row] = rows.leak();
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(connect(connection_string).await?);
    }

    let (started, cpu_before) = (Instant::now(), cpu_seconds()?);
    let parts = rows.chunks(rows.len().div_ceil(connections));
    let copies: Vec<_> = clients
        .into_iter()
        .zip(parts)
        .map(|(client, part)| {
            tokio::spawn(copy(
                client,
                format!("COPY {table} FROM STDIN BINARY"),
                part,
            ))
        })
        .collect();
    for copy in copies {
        copy.await??;
    }
    println!(
        "{} {}",
        started.elapsed().as_secs_f64(),
        cpu_seconds()? - cpu_before
    );
    Ok(())
}

async fn connect(connection_string: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(connection_string, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn copy(client: Client, statement: String, rows: &'static [Row]) -> Result<(), Failure> {
    let mut writer = pin!(BinaryCopyInWriter::new(
        client.copy_in(&statement).await?,
        &TYPES
    ));
    for row in rows {
        writer
            .as_mut()
            .write(&[
                &row.id,
                &row.quantity,
                &row.name,
                &row.score,
                &row.price,
                &row.active,
                &row.created_at,
                &row.attributes,
            ])
            .await?;
    }
    writer.finish().await?;
    Ok(())
}

/// Parses a line of COPY's text format. The bench's rows have no escapes and no NULL.
fn parse(line: &str) -> Result<Row, Failure> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [
        id,
        quantity,
        name,
        score,
        price,
        active,
        created_at,
        attributes,
    ] = fields[..]
    else {
        return Err(format!("expected 8 fields, found {}: {line}", fields.len()).into());
    };
    if line.contains('\\') {
        return Err(format!("expected no escapes: {line}").into());
    }
    Ok(Row {
        id: id.parse()?,
        quantity: quantity.parse()?,
        name: name.to_owned(),
        score: score.parse()?,
        price: price.parse()?,
        active: active == "t",
        created_at: DateTime::parse_from_str(created_at, "%Y-%m-%d %H:%M:%S%.f%#z")?.to_utc(),
        attributes: Json(serde_json::from_str(attributes)?),
    })
}

/// Returns the CPU seconds of all threads of this process, the system's for it included.
fn cpu_seconds() -> Result<f64, Failure> {
    const TICKS_PER_SECOND: f64 = 100.0; // USER_HZ of Linux
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("/proc/self/stat has no name")?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let (user, system): (f64, f64) = (fields[11].parse()?, fields[12].parse()?);
    Ok((user + system) / TICKS_PER_SECOND)
}
