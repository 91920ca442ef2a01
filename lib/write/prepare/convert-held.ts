import { COPY_HEADER_BYTES } from '../../connection/copy-in.ts'
import type { PutField } from '../../encode/codecs/codec.ts'
import { int4, int8 } from '../../encode/codecs/numbers/integer.ts'
import { numeric } from '../../encode/codecs/numbers/numeric.ts'
import { putNull } from '../../encode/wire/binary-format.ts'
import { ByteBuffer } from '../../encode/wire/byte-buffer.ts'
import type { PlannedColumn } from '../plan/planned-columns.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import type { EncodedRows, PreparedBatch, RowGroup } from '../rows/batch.ts'
import { binaryRows } from './held-fields.ts'

/**
 * Returns a batch that is held only as bytes for another plan of the same table, in which columns have become
 * wider. Returns undefined where the bytes do not suit the plan: a column has gone, or has another type.
 */
export function convertHeld(prepared: PreparedBatch, plan: TablePlan): PreparedBatch | undefined {
  const from = (prepared.plan as TablePlan).columns
  const groups: RowGroup[] = []
  for (const group of prepared.groups) {
    const written = group.shape.columns.map(index => from[index]!)
    const columns = written.map(({ name }) => plan.columns.findIndex(column => column.name === name))
    const lacking = plan.columns
      .flatMap((_, index) => (columns.includes(index) ? [] : [`${index},`]))
      .join('')
    const shape = group.shape.mixed ? plan.shapes.mixedWithout(lacking) : plan.shapes.without(lacking)
    if (
      shape.columns.length !== columns.length ||
      shape.columns.some((column, field) => column !== columns[field])
    )
      return undefined
    const conversions = written.map((column, field) => conversionOf(column, plan.columns[columns[field]!]!))
    if (columns.includes(-1) || conversions.includes('none')) return undefined
    groups.push({ ...group, shape, encoded: convert(group.encoded!, conversions) })
  }
  return { ...prepared, plan, groups }
}

/** How the field of a column is changed: its bytes stay, an integer is written anew, or there is no way. */
type Conversion = 'keep' | 'none' | PutField

const INTEGERS = ['smallint', 'integer', 'bigint']

/** What an integer may become. */
const WIDER: ReadonlyMap<string, PutField> = new Map([
  ['integer', int4.binary!],
  ['bigint', int8.binary!],
  ['numeric', numeric.binary!],
])

/** The types whose bytes do not depend on their length or precision. */
const TEXTS = ['varchar', 'text']

function conversionOf(from: PlannedColumn, to: PlannedColumn): Conversion {
  const [old, now] = [from.known?.column, to.known?.column]
  if (!old || !now) return 'none'
  if (old.type.oid === now.type.oid) return 'keep'
  if (!old.type.builtIn || !now.type.builtIn) return 'none'
  if (TEXTS.includes(old.type.name) && TEXTS.includes(now.type.name)) return 'keep'
  const [narrow, wide] = [INTEGERS.indexOf(old.sqlType), INTEGERS.indexOf(now.sqlType)]
  if (narrow < 0 || (wide < narrow && now.type.name !== 'numeric')) return 'none'
  return WIDER.get(now.type.name === 'numeric' ? 'numeric' : now.sqlType) ?? 'none'
}

function convert(held: EncodedRows, conversions: readonly Conversion[]): EncodedRows {
  // texts are the same for wider types
  if (held.format === 'text' || conversions.every(conversion => conversion === 'keep')) return held
  const out = new ByteBuffer()
  const pieces = held.pieces.map(piece => {
    out.reserve(COPY_HEADER_BYTES)
    out.length = COPY_HEADER_BYTES
    for (const fields of binaryRows(piece.subarray(COPY_HEADER_BYTES))) putRow(out, fields, conversions)
    return out.take()
  })
  return { ...held, pieces }
}

function putRow(out: ByteBuffer, fields: (Buffer | null)[], conversions: readonly Conversion[]): void {
  out.putInt16(fields.length)
  for (const [index, field] of fields.entries()) {
    const conversion = conversions[index]
    if (field === null) putNull(out)
    else if (typeof conversion !== 'function' || !conversion(out, integerOf(field))) {
      out.putInt32(field.length)
      out.putBytes(field)
    }
  }
}

/** Returns undefined for bytes of the user's that have another length. */
function integerOf(bytes: Buffer): number | bigint | undefined {
  if (bytes.length === 8) return bytes.readBigInt64BE()
  return bytes.length === 2 || bytes.length === 4 ? bytes.readIntBE(0, bytes.length) : undefined
}
