import type { SampledRecord } from './sample-records.ts'

/** The share of the records that have to agree. */
const MOST = 0.9

/** Returns the number of fields that nearly all records have, if there are two or more. */
export function usualWidth(records: readonly SampledRecord[]): number | undefined {
  const times = new Map<number, number>()
  const sound = records.filter(({ malformed }) => !malformed)
  for (const { fields } of sound) times.set(fields.length, (times.get(fields.length) ?? 0) + 1)
  if (sound.length < 2) return undefined
  return [...times].find(([, count]) => count >= sound.length * MOST)?.[0]
}

/** Returns the number of fields of nearly all records, or else the expected one, if some records have it. */
export function widthOf(records: readonly SampledRecord[], expected: number | undefined): number | undefined {
  const isFound = records.some(({ fields, malformed }) => !malformed && fields.length === expected)
  return usualWidth(records) ?? (isFound ? expected : undefined)
}
