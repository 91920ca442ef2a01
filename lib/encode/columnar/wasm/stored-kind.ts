import type { Meaning } from '../../../columnar/block.ts'
import type { StoredValues } from '../../../columnar/stored-values.ts'
import { boolean } from '../../codecs/boolean.ts'
import type { FieldCodec } from '../../codecs/codec.ts'
import { float4, float8 } from '../../codecs/numbers/float.ts'
import { int2, int4, int8 } from '../../codecs/numbers/integer.ts'
import { numeric } from '../../codecs/numbers/numeric.ts'
import { date } from '../../codecs/temporal/date.ts'
import { timestamp, timestamptz } from '../../codecs/temporal/timestamp.ts'
import { uuid } from '../../codecs/text/uuid.ts'

/** What the module makes of stored values. The numbers are those of assembly/kinds.ts. */
export const STORED_KIND = {
  text: 0,
  headedText: 1,
  uuid: 2,
  boolean: 3,
  int32AsInt2: 4,
  int32AsInt4: 5,
  int32AsInt8: 6,
  int64AsInt2: 7,
  int64AsInt4: 8,
  int64AsInt8: 9,
  float32AsFloat4: 10,
  float32AsFloat8: 11,
  float64AsFloat8: 12,
  date: 13,
  milliseconds: 14,
  microseconds: 15,
  nanoseconds: 16,
  int96: 17,
  int32Decimal: 18,
  int64Decimal: 19,
  bytesDecimal: 20,
} as const

export interface StoredKind {
  readonly kind: number
  /** The decimals of a number, or the byte before each text. */
  readonly detail: number
}

/** Fields that JavaScript has made. */
export const MADE: StoredKind = { kind: STORED_KIND.text, detail: 0 }

/** The decimals that the module takes. */
const MAX_DECIMALS = 4

/**
 * Returns what the module makes of values for a column; undefined where only JavaScript encodes them.
 * @param head what precedes values that are in the file as they are in a COPY; undefined for others
 */
export function storedKindOf(
  stored: StoredValues,
  meaning: Meaning,
  codec: FieldCodec,
  head: Uint8Array | undefined,
): StoredKind | undefined {
  if (head && stored.kind === 'bytes') {
    if (head.length > 1) return undefined
    const [detail = 0] = head
    return { kind: head.length === 0 ? STORED_KIND.text : STORED_KIND.headedText, detail }
  }
  const kind = numberOf(stored, meaning, codec)
  const decimals = typeof meaning === 'object' && 'decimals' in meaning ? meaning.decimals : 0
  return kind === undefined ? undefined : { kind, detail: decimals }
}

function numberOf({ kind }: StoredValues, meaning: Meaning, codec: FieldCodec): number | undefined {
  if (meaning === 'itself') return ofItself(kind, codec)
  if (meaning === 'date') return codec === date && kind === 'int32' ? STORED_KIND.date : undefined
  if (meaning === 'uuid') return codec === uuid && kind === 'bytes' ? STORED_KIND.uuid : undefined
  if (typeof meaning === 'string') return undefined
  if ('decimals' in meaning) {
    const fits = codec === numeric && meaning.decimals >= 0 && meaning.decimals <= MAX_DECIMALS
    return fits ? ofDecimals(kind) : undefined
  }
  const fits = codec === timestamp || (codec === timestamptz && meaning.utc)
  if (!fits || kind === 'int96') return fits ? STORED_KIND.int96 : undefined
  return kind === 'int64' ? BY_DIGITS[meaning.digits] : undefined
}

const BY_DIGITS = {
  3: STORED_KIND.milliseconds,
  6: STORED_KIND.microseconds,
  9: STORED_KIND.nanoseconds,
} as const

function ofItself(kind: StoredValues['kind'], codec: FieldCodec): number | undefined {
  switch (kind) {
    case 'int32':
      if (codec === int2) return STORED_KIND.int32AsInt2
      if (codec === int4) return STORED_KIND.int32AsInt4
      return codec === int8 ? STORED_KIND.int32AsInt8 : undefined
    case 'int64':
      if (codec === int2) return STORED_KIND.int64AsInt2
      if (codec === int4) return STORED_KIND.int64AsInt4
      return codec === int8 ? STORED_KIND.int64AsInt8 : undefined
    case 'float32':
      if (codec === float4) return STORED_KIND.float32AsFloat4
      return codec === float8 ? STORED_KIND.float32AsFloat8 : undefined
    case 'float64':
      return codec === float8 ? STORED_KIND.float64AsFloat8 : undefined
    case 'boolean':
      return codec === boolean ? STORED_KIND.boolean : undefined
    default:
      return undefined
  }
}

function ofDecimals(kind: StoredValues['kind']): number | undefined {
  switch (kind) {
    case 'int32':
      return STORED_KIND.int32Decimal
    case 'int64':
      return STORED_KIND.int64Decimal
    case 'bytes':
      return STORED_KIND.bytesDecimal
    default:
      return undefined
  }
}
