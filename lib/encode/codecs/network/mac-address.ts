import type { Codec } from '../codec.ts'
import { prepareValue } from '../parameter.ts'

/**
 * macaddr and macaddr8. The server reads their text; the bytes of a binary parameter become pairs of hex
 * digits.
 * @see https://www.postgresql.org/docs/current/datatype-net-types.html#DATATYPE-MACADDR
 */
export const macaddr: Codec = { text: prepareValue, textOfBinary: bytes => hexPairs(bytes, 6) }
export const macaddr8: Codec = { text: prepareValue, textOfBinary: bytes => hexPairs(bytes, 8) }

function hexPairs(bytes: Buffer, count: number): string | undefined {
  return bytes.length === count ? bytes.toString('hex').replace(/..(?=.)/g, '$&:') : undefined
}
