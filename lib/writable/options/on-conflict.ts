/** The names of a row's keys, if its type has names; otherwise any string. */
export type ColumnOf<Row> = Extract<keyof Row, string>

/** What to do with a row whose key is in the table already. */
export interface OnConflict<Row = Record<string, unknown>> {
  /**
   * The columns of a unique index, or the name of a constraint or an index. An index may be partial, and
   * consist of expressions and generated columns. Optional with `action: 'nothing'`, which then covers every
   * unique index.
   */
  target?: readonly ColumnOf<Row>[] | { constraint: string } | { index: string } | undefined
  /**
   * `update`: a row sets the columns that it brings. Of several rows with one key, the last one wins.
   * `nothing`: the row that is in the table stays.
   */
  action: 'nothing' | 'update'
  /**
   * `update-only`: a row whose key is not in the table is left out, and counts as unchanged. Rows then need
   * only their key and what they change.
   * @default 'upsert'
   */
  mode?: 'upsert' | 'update-only' | undefined
  /**
   * The columns that an update sets; or SQL for each of them, over the rows `stored` and `excluded`: `{ hits:
   * 'stored.hits + excluded.hits' }`. The SQL runs for every row, also where the row does not bring the
   * column: `excluded` then has the column's DEFAULT. It is the program's own text: values never become part
   * of it.
   * @default every written column that is not in the target
   */
  update?: readonly ColumnOf<Row>[] | Readonly<Record<string, string>> | undefined
  /**
   * A column, for example a version or a time. A row updates or deletes the stored row only if its value is
   * greater, or the stored one is NULL. So rows that come late or twice do no harm.
   */
  newerBy?: ColumnOf<Row> | undefined
  /**
   * Leave a stored row as it is if the update would not change any value: no new row version, no trigger.
   * @default false
   */
  onlyIfChanged?: boolean | undefined
  /**
   * A condition of an update, as SQL over the rows `stored` and `excluded`. All conditions have to hold. It
   * is the program's own text: values never become part of it.
   */
  where?: string | undefined
}
