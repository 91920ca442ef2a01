/** With PG_BATCH_TEST_THOROUGH=1, as in CI, all cases of expensive tests are tried. */
export const IS_THOROUGH = process.env.PG_BATCH_TEST_THOROUGH === '1'

/** Returns a count of random cases, or of rows: a sixteenth of `count`, or all of it. */
export function thorough(count: number): number {
  return IS_THOROUGH ? count : Math.ceil(count / 16)
}

/** Returns the first of some cases, or all of them. */
export function thoroughly<Case>(...cases: [Case, ...Case[]]): Case[] {
  return IS_THOROUGH ? cases : [cases[0]]
}

/** Random cases are the same in each run. FAST_CHECK_SEED looks elsewhere. */
export const SEED = Number(process.env.FAST_CHECK_SEED ?? 20_261_128)
