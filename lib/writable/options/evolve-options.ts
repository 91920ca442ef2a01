/** How a stream may change its table. */
export interface EvolveOptions {
  /** Adds a column for each key that is not a column. @default true */
  addColumns?: boolean | undefined
  /**
   * Widens a column whose type does not hold a row's value: smallint to integer, bigint and numeric, numeric
   * to more digits before the point, varchar to a longer one and text. @default false
   */
  widenTypes?: boolean | undefined
  /**
   * How many columns the stream may add in total. A row that would need more is rejected. An integer ≥ 0.
   * @default 20
   */
  maxNewColumns?: number | undefined
  /**
   * How long an ALTER TABLE waits for its lock, while other sessions wait after it. Then it is retried after
   * a pause, as `retry` says. Milliseconds, an integer from 1 to 2147483647.
   * @default 2000
   */
  lockTimeoutMs?: number | undefined
}
