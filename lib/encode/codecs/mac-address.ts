import type { Codec } from './codec.ts'
import { prepareValue } from './parameter.ts'

/**
 * macaddr and macaddr8. Their text is left to the server's parser; bytes are written as hex digits in pairs.
 * @see https://www.postgresql.org/docs/current/datatype-net-types.html#DATATYPE-MACADDR
 */
export const macaddr: Codec = { text: prepareValue, textOfBinary: bytes => hexPairs(bytes, 6) }
export const macaddr8: Codec = { text: prepareValue, textOfBinary: bytes => hexPairs(bytes, 8) }

function hexPairs(bytes: Buffer, count: number): string | undefined {
  return bytes.length === count ? bytes.toString('hex').replace(/..(?=.)/g, '$&:') : undefined
}
