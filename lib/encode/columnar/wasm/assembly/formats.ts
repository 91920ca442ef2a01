/**
 * How the values of a column become fields. `put` writes the value with an index, and returns the address
 * after the field, or 0 for a value that JavaScript has to encode.
 */

import { EPOCH_DAYS, FIRST_DAY, LAST_DAY } from '../../../../columnar/calendar'
import { put32, putInt16Field, putInt32Field, putInt64Field, putNull } from '../../../wasm/assembly/fields'
import { Column } from './column'
import { MILLISECONDS } from './kinds'
import { putCount, putInt96 } from './times'

export class Texts extends Column {
  put(_values: usize, index: i32, out: usize): usize {
    const from = this.startOf(index)
    const length = (this.endOf(index) - from) as i32
    // sizes.ts has ended the rows before a text that is refused
    return length < 0 ? putNull(out) : putBytes(from, length, put32(out, length))
  }
}

export class HeadedTexts extends Column {
  put(_values: usize, index: i32, out: usize): usize {
    const from = this.startOf(index)
    const length = (this.endOf(index) - from) as i32
    if (length < 0) return putNull(out)
    store<u8>(put32(out, length + 1), this.detail)
    return putBytes(from, length, out + 5)
  }
}

/** Up to this length a loop costs less than a call. */
const SHORT: i32 = 96

/** 16 bytes that are set and 16 that are not: those from the address minus n on have n at their start. */
const FIRST_BYTES: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0,
])

function putBytes(from: usize, length: i32, out: usize): usize {
  const end = out + length
  if (length > SHORT) {
    memory.copy(out, from, length)
    return end
  }
  for (; out + 16 <= end; out += 16, from += 16) v128.store(out, v128.load(from))
  // the bytes after the text are of fields that were written before, and stay
  const isText = v128.load(FIRST_BYTES + 16 - (end - out))
  v128.store(out, v128.bitselect(v128.load(from), v128.load(out), isText))
  return end
}

export class Uuids extends Column {
  put(_values: usize, index: i32, out: usize): usize {
    const from = this.startOf(index)
    if (this.endOf(index) - from !== 16) return 0
    v128.store(put32(out, 16), v128.load(from))
    return out + 20
  }
}

export class Booleans extends Column {
  put(values: usize, index: i32, out: usize): usize {
    store<u8>(put32(out, 1), load<i32>(values + (index << 2)) ? 1 : 0)
    return out + 5
  }
}

export class Integers<Stored, Field> extends Column {
  put(values: usize, index: i32, out: usize): usize {
    const value = load<Stored>(values + (index as usize) * sizeof<Stored>())
    if (sizeof<Field>() < sizeof<Stored>() && value !== (value as Field as Stored)) return 0
    if (sizeof<Field>() === 2) return putInt16Field(out, value as i32)
    return sizeof<Field>() === 4 ? putInt32Field(out, value as i32) : putInt64Field(out, value as i64)
  }
}

const NAN_FLOAT: i32 = 0x7fc00000
const NAN_DOUBLE: i64 = 0x7ff8000000000000

export class Floats<Stored, Field> extends Column {
  put(values: usize, index: i32, out: usize): usize {
    const value = load<Stored>(values + (index as usize) * sizeof<Stored>()) as Field
    if (sizeof<Field>() === 4) {
      return putInt32Field(out, Number.isNaN(value as f64) ? NAN_FLOAT : reinterpret<i32>(value as f32))
    }
    return putInt64Field(out, Number.isNaN(value as f64) ? NAN_DOUBLE : reinterpret<i64>(value as f64))
  }
}

export class Dates extends Column {
  put(values: usize, index: i32, out: usize): usize {
    const days = load<i32>(values + (index << 2))
    return days < FIRST_DAY || days > LAST_DAY ? 0 : putInt32Field(out, days - EPOCH_DAYS)
  }
}

export class Times extends Column {
  put(values: usize, index: i32, out: usize): usize {
    return putCount(this.kind - MILLISECONDS, load<i64>(values + (index << 3)), out)
  }
}

export class Int96s extends Column {
  put(values: usize, index: i32, out: usize): usize {
    return putInt96(values + index * 12, out)
  }
}
