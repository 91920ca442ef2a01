import type { Codec } from './codec.ts'
import { prepareValue } from './parameter.ts'

/**
 * One byte. Strings are those that boolin takes in full and lower case; prefixes and blanks are left to it.
 * @see https://www.postgresql.org/docs/current/datatype-boolean.html
 */
export const boolean: Codec = {
  text: prepareValue,
  binary(out, value) {
    const bit = toBit(value)
    if (bit < 0) return false
    out.reserve(5)
    out.view.setInt32(out.length, 1)
    out.bytes[out.length + 4] = bit
    out.length += 5
    return true
  },
}

function toBit(value: unknown): number {
  switch (value) {
    case true:
    case 1:
    case 1n:
    case 'true':
    case 't':
    case 'yes':
    case 'y':
    case 'on':
    case '1':
      return 1
    case false:
    case 0:
    case 0n:
    case 'false':
    case 'f':
    case 'no':
    case 'n':
    case 'off':
    case '0':
      return 0
    default:
      return -1
  }
}
