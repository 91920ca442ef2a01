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
  const inArrays = await storage.byArray(values)
  if (inArrays) expectSame(values, inArrays, expected, 'array')
  return expected.filter(outcome => outcome !== null).length
}

/** What to give to `pg` instead where we deviate on purpose: see parameter.ts. */
function asPgWould(sqlType: string, value: unknown): unknown {
  if (/^jsonb?$/.test(sqlType) && Array.isArray(value)) return JSON.stringify(value)
  if (sqlType === 'vector[]') return withTexts(value)
  if (sqlType === 'geometry[]' && Array.isArray(value)) return geometryArray(value)
  if (/^(vector|halfvec|sparsevec|embedding)(\(|$)/.test(sqlType)) return vectorText(sqlType, value)
  if (!sqlType.startsWith('timestamptz')) return value
  if (Array.isArray(value)) return value.map(item => asPgWould(sqlType, item))
  if (!types.isDate(value) || Number.isNaN(value.getTime())) return value
  const [, sign = '', year = ''] = /^([-+]?)(\d+)/.exec(value.toISOString())!
  const rest = value.toISOString().slice(sign.length + year.length)
  if (sign !== '-' && Number(year) > 0) return `${Number(year)}${rest}`.padStart(24, '0')
  return `${String(1 + Number(year)).padStart(4, '0')}${rest} BC`
}

/** Vectors in arrays are views; inner arrays are dimensions. */
function withTexts(value: unknown): unknown {
  return Array.isArray(value) ? value.map(withTexts) : vectorText('vector', value)
}

function geometryArray(values: readonly unknown[]): unknown {
  const items = values.map(item => {
    if (Array.isArray(item)) return geometryArray(item)
    if (item === null || item === undefined) return 'NULL'
    if (Buffer.isBuffer(item)) return `\\\\x${item.toString('hex')}`
    const text = typeof item === 'object' ? JSON.stringify(item) : String(item)
    return `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${items.join(':')}}`
}

function vectorText(sqlType: string, value: unknown): unknown {
  const isList = value instanceof Float32Array || value instanceof Float64Array || Array.isArray(value)
  const isNumber = (item: unknown) =>
    typeof item === 'number' ||
    typeof item === 'bigint' ||
    /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(String(item))
  if (!isList || !Array.from(value as unknown[]).every(isNumber)) return value
  const texts = Array.from(value as unknown[], String)
  if (!sqlType.startsWith('sparsevec')) return `[${texts.join(',')}]`
  const parts = texts.flatMap((text, i) => (Number(text) === 0 ? [] : [`${i + 1}:${text}`]))
  return `{${parts.join(',')}}/${texts.length}`
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
