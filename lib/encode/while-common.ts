import type { EncodeRows } from './row-contract.ts'

/** How many uncommon records may come before it counts whether most are: each of them costs an attempt. */
const TRIAL_RECORDS = 1000

/** Returns a function that encodes nothing any more once most records have turned out to be uncommon. */
export function whileCommon(encode: EncodeRows): EncodeRows {
  let encoded = 0
  let refused = 0
  return (out, rows, from, firstOrdinal, limit) => {
    if (refused > TRIAL_RECORDS && refused > encoded) return from
    const next = encode(out, rows, from, firstOrdinal, limit)
    encoded += next - from
    if (next < rows.length && out.length < limit) refused++
    return next
  }
}
