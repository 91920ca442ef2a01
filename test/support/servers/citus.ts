import type pg from 'pg'

/**
 * Makes a database look like one of Citus to the toolkit: it has Citus's catalogue of tables. The server
 * still runs every statement itself, and refuses none that Citus would.
 */
export async function pretendCitus(pool: pg.Pool): Promise<void> {
  await pool.query(`SET allow_system_table_mods = on;
    CREATE TABLE IF NOT EXISTS pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY,
      partmethod "char" NOT NULL, partkey text, colocationid integer NOT NULL DEFAULT 0,
      repmodel "char" NOT NULL DEFAULT 's');
    GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC; RESET allow_system_table_mods`)
}

/** Enters a table into the catalogue of Citus, as `create_reference_table` would. */
export async function pretendReferenceTable(pool: pg.Pool, table: string): Promise<void> {
  await pool.query(
    "INSERT INTO pg_catalog.pg_dist_partition (logicalrelid, partmethod, repmodel) VALUES ($1::regclass, 'n', 't')",
    [table],
  )
}
