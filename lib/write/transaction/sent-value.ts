import { COPY_HEADER_BYTES } from '../../connection/copy-in.ts'
import type { PgType } from '../../types.ts'
import type { WritePlan } from '../plan/plan.ts'
import type { EncodedRows } from '../rows/batch.ts'
import type { RowRef } from '../rows/row-sender.ts'

type Plan = Pick<WritePlan<never>, 'columns' | 'textsOf'>

/** The values that errors of the server are about. Messages never hold them; a terminal may show them. */
const values = new WeakMap<object, string>()

/** Notes the value that an error is about, where the server names row and column and does not quote it. */
export function noteSentValue(error: unknown, row: RowRef | undefined, plan: Plan): void {
  if (typeof error !== 'object' || error === null || row?.column === undefined) return
  const text = sentText(row, row.column, plan)
  if (text !== undefined) noteSentText(error, text)
}

/** Notes the value that an error is about, as text. */
export function noteSentText(error: object, text: string): void {
  values.set(error, text)
}

/** Returns the value that an error of the server is about, as text, if it is known. */
export function sentValueOf(error: object): string | undefined {
  return values.get(error)
}

function sentText({ group, index }: RowRef, name: string, plan: Plan): string | undefined {
  const { encoded, rows, shape } = group
  // the rows may be forgotten
  if (!encoded) return (index < rows.length && plan.textsOf(rows.at(index)).values[name]) || undefined
  const field = shape.columns.findIndex(column => plan.columns[column]!.name === name)
  const type = plan.columns[shape.columns[field]!]?.known?.column.type
  // their binary form is their text
  if (encoded.format !== 'binary' || !type || !isText(type)) return undefined
  return fieldOf(encoded, index, field)
}

function isText({ base, builtIn, name }: PgType): boolean {
  return base ? isText(base) : builtIn && ['text', 'varchar', 'bpchar'].includes(name)
}

/** Reads a field of a binary COPY: each row is the number of its fields, and each field its length first. */
function fieldOf({ pieces }: EncodedRows, row: number, field: number): string | undefined {
  const bytes = Buffer.concat(pieces.map(piece => piece.subarray(COPY_HEADER_BYTES)))
  let at = 0
  for (let number = 0; number <= row; number++) {
    const count = bytes.readInt16BE(at)
    at += 2
    for (let index = 0; index < count; index++) {
      const length = bytes.readInt32BE(at)
      at += 4
      if (number === row && index === field)
        return length < 0 ? undefined : bytes.toString('utf8', at, at + length)
      at += Math.max(0, length)
    }
  }
  return undefined
}
