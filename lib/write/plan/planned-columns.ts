import type { FieldCodec } from '../../encode/codecs/codec.ts'
import { codecFor } from '../../encode/codecs/codec-for.ts'
import type { OwnCodecs } from '../../encode/codecs/own-codec.ts'
import { needsOwnField, readField, readOwnField } from '../../encode/objects/read-field.ts'
import { PgBatchError } from '../../errors.ts'
import { whyNoNewColumn } from '../../table/alter-table.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import { generatedBy, isInsertable } from '../../table/insertable.ts'
import type { Column, Table } from '../../types.ts'
import { listColumns } from '../../values/names/list-names.ts'
import { nearest } from '../../values/names/nearest.ts'
import type { WriteRequest } from './write-request.ts'

/** One column that is written. */
export interface PlannedColumn {
  readonly name: string
  readonly read: (row: object) => unknown
  /** Absent where there is no catalogue: values then go to the driver as they are. */
  readonly known?: { readonly column: Column; readonly codec: FieldCodec }
}

/**
 * Returns the columns that a request writes.
 * @param table undefined where there is no catalogue (pg-mem): then `columns` are not checked
 * @throws PgBatchError for columns that the table does not have, or that only the server fills
 */
export function plannedColumns<Item>(
  request: WriteRequest<Item>,
  table: Table | undefined,
  own: OwnCodecs,
): PlannedColumn[] {
  return table
    ? knownColumns(request, table, own)
    : request.columns!.map(name => ({ name, read: reader(name) }))
}

function knownColumns<Item>(request: WriteRequest<Item>, table: Table, own: OwnCodecs): PlannedColumn[] {
  if (!request.columns) return grantedColumns(table).map(column => plannedColumn(column, own))
  const byName = new Map(table.columns.map(column => [column.name, column]))
  return request.columns.map(name => {
    const column = byName.get(name)
    if (!column) {
      const all = listColumns(table.columns.map(known => known.name))
      throw notFound(
        `Column ${JSON.stringify(name)} does not exist in ${quoteTable(table)}, which has: ${all}`,
        name,
      )
    }
    if (!isInsertable(column)) {
      throw notFound(
        `Column ${JSON.stringify(name)} of ${quoteTable(table)} is ${generatedBy(column)}: ` +
          'leave it out of `columns`',
        name,
      )
    }
    return plannedColumn(column, own)
  })
}

/**
 * Returns the columns that the role may write; all of them if it may write none, so that the server refuses
 * the rows.
 */
function grantedColumns({ columns }: Table): Column[] {
  const insertable = columns.filter(isInsertable)
  const granted = insertable.filter(({ deniesInsert }) => !deniesInsert)
  return granted.length > 0 ? granted : insertable
}

function plannedColumn(column: Column, own: OwnCodecs): PlannedColumn {
  const codec = codecFor(column.type, own)
  return { name: column.name, read: reader(column.name), known: { column, codec } }
}

function reader(name: string): (row: object) => unknown {
  return needsOwnField(name) ? row => readOwnField(row, name) : row => readField(row, name)
}

/** Returns the end of the sentence `The row has the key "x", …`. */
export function whyNotColumn<Item>(
  key: string,
  name: TableParts,
  request: WriteRequest<Item>,
  table: Table | undefined,
): string {
  const column = table?.columns.find(known => known.name === key)
  if (column && !isInsertable(column))
    return `but that column of ${quoteTable(name)} is ${generatedBy(column)}: leave it out`
  const advice = "leave it out, or set `unknownKeys: 'ignore'`"
  if (column && !request.columns) {
    const grant = 'grant it INSERT on the column'
    return `a column of ${quoteTable(name)} that this role may not write: ${grant}, ${advice}`
  }
  if (column || (!table && request.columns)) return `which is not among \`columns\`: ${advice}`
  const { evolve } = request
  if (!evolve?.addColumns) {
    const near = nearest(key, table?.columns.filter(isInsertable).map(known => known.name) ?? [])
    const names = near.map(known => `${JSON.stringify(known)}, `).join('or ')
    return `which is not a column of ${quoteTable(name)}: ${names && `name it ${names}`}${advice}`
  }
  const enough = `\`evolve.maxNewColumns\` allows ${evolve.maxNewColumns} new columns`
  const reason = whyNoNewColumn(key, table?.columns ?? []) ?? enough
  return `which is not a column of ${quoteTable(name)} and cannot be added: ${reason}`
}

export function notFound(message: string, column: string): PgBatchError {
  return new PgBatchError('COLUMN_NOT_FOUND', message, { outcome: 'not-sent', column })
}
