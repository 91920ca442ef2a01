import type { EncodeRows } from './row-contract.ts'

/** So many of the first records have to be common ones. In another file the attempt would cost time. */
const TRIAL_RECORDS = 1000

/** Returns a function that stops to encode once it turns out that most records are not common ones. */
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
