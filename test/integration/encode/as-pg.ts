import { types } from 'node:util'
import { expect } from 'chai'
import fc from 'fast-check'
import type { Outcomes, Storage } from './storage.ts'

/**
 * Stores the values by `pg` and by each of our paths, and compares what the server then has, or that both
 * fail.
 * @returns how many values the server took
 */
export async function expectAsPg(
  storage: Storage,
  sqlType: string,
  values: readonly unknown[],
): Promise<number> {
  const expected = await storage.byPg(values.map(value => asPgWould(sqlType, value)))
  const inText = expected.map((outcome, i) => (storage.hasNoText(values[i]) ? null : outcome))
  expectSame(values, await storage.byInsert(values), expected, 'insert')
  expectSame(values, await storage.byCopyText(values), inText, 'text')
  expectSame(values, await storage.byCopyBinary(values), storage.canBeBinary ? expected : inText, 'binary')
  return expected.filter(outcome => outcome !== null).length
}

/** What to give to `pg` instead where we deviate on purpose: see parameter.ts. */
function asPgWould(sqlType: string, value: unknown): unknown {
  if (/^jsonb?$/.test(sqlType) && Array.isArray(value)) return JSON.stringify(value)
  if (!sqlType.startsWith('timestamptz')) return value
  if (Array.isArray(value)) return value.map(item => asPgWould(sqlType, item))
  if (!types.isDate(value) || Number.isNaN(value.getTime())) return value
  const [, sign = '', year = ''] = /^([-+]?)(\d+)/.exec(value.toISOString())!
  const rest = value.toISOString().slice(sign.length + year.length)
  if (sign !== '-' && Number(year) > 0) return `${Number(year)}${rest}`.padStart(24, '0')
  return `${String(1 + Number(year)).padStart(4, '0')}${rest} BC`
}

function expectSame(values: readonly unknown[], actual: Outcomes, expected: Outcomes, path: string): void {
  const at = expected.findIndex((outcome, i) => outcome !== actual[i])
  if (at >= 0) {
    expect.fail(`by ${path}: ${brief(values[at])}: expected ${brief(expected[at])}, got ${brief(actual[at])}`)
  }
}

function brief(value: unknown): string {
  return fc.stringify(value).slice(0, 300)
}
