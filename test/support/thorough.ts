/**
 * A count of random cases, or of rows: a quarter of `count`, and all of it with PG_BATCH_TEST_THOROUGH=1,
 * which .ci/run sets in one of its suites.
 */
export function thorough(count: number): number {
  return process.env.PG_BATCH_TEST_THOROUGH === '1' ? count : Math.ceil(count / 4)
}
