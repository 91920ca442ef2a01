import { readVarInt } from 'hyparquet/src/thrift.js'

/** Where to read, by hyparquet's names. */
interface ThriftReader {
  readonly view: DataView
  offset: number
}

/** The types of Thrift's compact protocol that Parquet uses. */
const STOP = 0
const TRUE = 1
const FALSE = 2
const BYTE = 3
const I16 = 4
const I32 = 5
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const STRUCT = 12

/** A list names its length after its type, unless that is short. */
const LONG_LIST = 15

/**
 * Reads over a struct, and throws if it does not end within the bytes. hyparquet allocates each list as long
 * as it says that it is: 66 bytes of lists within lists would take 3 GB of memory.
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export function checkStruct(view: DataView, offset: number): void {
  passStruct({ view, offset })
}

function passStruct(reader: ThriftReader): void {
  while (true) {
    const byte = reader.view.getUint8(reader.offset++)
    const type = byte & 0x0f
    if (type === STOP) return
    if (byte >> 4 === 0) readVarInt(reader) // the number of the field
    if (type !== TRUE && type !== FALSE) passValue(reader, type)
  }
}

function passValue(reader: ThriftReader, type: number): void {
  switch (type) {
    case TRUE: // of a list
    case FALSE:
    case BYTE:
      passBytes(reader, 1)
      break
    case I16:
    case I32:
    case I64:
      readVarInt(reader)
      break
    case DOUBLE:
      passBytes(reader, 8)
      break
    case BINARY:
      passBytes(reader, readVarInt(reader))
      break
    case LIST:
      passList(reader)
      break
    case STRUCT:
      passStruct(reader)
      break
    default:
      throw new Error(`A value of the type ${type}`)
  }
}

function passList(reader: ThriftReader): void {
  const byte = reader.view.getUint8(reader.offset++)
  const short = byte >> 4
  const length = short === LONG_LIST ? readVarInt(reader) : short
  // each element takes a byte or more
  for (let index = 0; index < length; index++) passValue(reader, byte & 0x0f)
}

function passBytes(reader: ThriftReader, length: number): void {
  const left = reader.view.byteLength - reader.offset
  if (!(length >= 0 && length <= left)) throw new Error(`A value of ${length} bytes, with ${left} left`)
  reader.offset += length
}
