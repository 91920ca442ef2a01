import { types } from 'node:util'
import { PgBatchError } from '../errors.ts'
import { parseExactJson } from '../exact-json.ts'
import { type ConnectSchema, ConnectValueError, decodeConnectValue } from './connect-values.ts'

/** What a change event of Debezium asks for, in the words of `PgBatchWritable`'s `operation` and `toRow`. */
export interface DebeziumChange<Row = Record<string, unknown>> {
  readonly operation: 'upsert' | 'delete'
  /** The row after the change; of a delete, the row before it, of which only the key has to be there. */
  readonly row: Row
}

/** Stands for a long value that an UPDATE left as it was, and that PostgreSQL did not log. */
const UNAVAILABLE = '__debezium_unavailable_value'
const UNAVAILABLE_FORMS: readonly unknown[] = [UNAVAILABLE, Buffer.from(UNAVAILABLE).toString('base64')]

/**
 * Reads a change event of [Debezium](https://debezium.io), as Kafka Connect's JSON converter writes it: with or without
 * schemas, as text, bytes, or what a JSON parser made of it (give the text, and no number loses a digit).
 *
 *     op c, r, u (create, read by a snapshot, update)   → upsert of `after`
 *     op d (delete)                                     → delete of `before`, or of `key` where there is none
 *     a tombstone (no value)                            → delete of `key`; null without one, since the delete came before
 *     op m (a message of pg_logical_emit_message)       → null
 *     op t (truncate)                                   → an error: no row says it; `skipped.operations` leaves it out
 *
 * A changed primary key comes as a delete and a create, and order does the rest. With a schema, dates, times,
 * timestamps, decimals and bytes become what PostgreSQL takes, without rounding; without one, values stay as they are.
 *
 * @param value the message's value
 * @param key the message's key: the row's primary key
 * @returns null where there is nothing to write
 * @throws PgBatchError with code ROW_INVALID for what is no such event, and for an update without the value of a TOAST
 *   column (`REPLICA IDENTITY FULL` on the source's table brings it)
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-toasted-values
 */
export function fromDebezium<Row = Record<string, unknown>>(
  value: unknown,
  key?: unknown,
): DebeziumChange<Row> | null {
  const { payload, schema } = unwrap(value)
  if (payload === null || payload === undefined) return deleteOf<Row>(undefined, key)
  if (!isObject(payload) || typeof payload.op !== 'string') {
    throw invalid('Expected an envelope of Debezium with `op`, `before` and `after`')
  }
  switch (payload.op) {
    case 'c':
    case 'r':
    case 'u':
      return { operation: 'upsert', row: rowAfter(payload, schema) as Row }
    case 'd':
      return deleteOf<Row>({ row: payload.before, schema: fieldOf(schema, 'before') }, key)
    case 'm':
      return null
    case 't':
      throw invalid(
        'A truncate (op t) is no change of a row: set `skipped.operations=t`, or see to it beforehand',
      )
    default:
      throw invalid('Expected `op` of an envelope of Debezium to be one of c, r, u, d, t, m')
  }
}

interface Unwrapped {
  readonly payload: unknown
  readonly schema: ConnectSchema | undefined
}

/** The schema beside the payload is the converter's `schemas.enable`. */
function unwrap(given: unknown): Unwrapped {
  const value = typeof given === 'string' || types.isUint8Array(given) ? parse(given) : given
  if (!isObject(value) || !('payload' in value) || 'op' in value) return { payload: value, schema: undefined }
  return { payload: value.payload, schema: (value.schema as ConnectSchema | null | undefined) ?? undefined }
}

function parse(given: string | Uint8Array): unknown {
  const text = typeof given === 'string' ? given : new TextDecoder().decode(given)
  if (text === '') return null
  try {
    return parseExactJson(text)
  } catch {
    // the parser's own words quote the text
    throw invalid('Expected a change event as JSON')
  }
}

function rowAfter({ after }: Record<string, unknown>, schema: ConnectSchema | undefined): object {
  if (!isObject(after)) throw invalid('Expected `after` of an envelope of Debezium to be a row')
  for (const [column, value] of Object.entries(after)) {
    const only = Array.isArray(value) && value.length === 1 ? value[0] : value
    if (!UNAVAILABLE_FORMS.includes(only)) continue
    throw invalid(
      `Column ${JSON.stringify(column)} was left as it was, and the event does not have its value: set REPLICA IDENTITY FULL on its table`,
      column,
    )
  }
  return decodeRow(after, fieldOf(schema, 'after'))
}

function deleteOf<Row>(
  before: { row: unknown; schema: ConnectSchema | undefined } | undefined,
  key: unknown,
): DebeziumChange<Row> | null {
  if (before && isObject(before.row)) {
    return { operation: 'delete', row: decodeRow(before.row, before.schema) as Row }
  }
  if (key !== null && key !== undefined) {
    const { payload, schema } = unwrap(key)
    if (!isObject(payload)) throw invalid("Expected the key of a delete to have the key's columns")
    return { operation: 'delete', row: decodeRow(payload, schema) as Row }
  }
  if (!before) return null
  throw invalid('A delete (op d) has no `before`, and no key was given: nothing says which row it is')
}

function decodeRow(row: Record<string, unknown>, schema: ConnectSchema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      try {
        return [column, decodeConnectValue(value, fieldOf(schema, column))]
      } catch (error) {
        if (!(error instanceof ConnectValueError)) throw error
        throw invalid(`Field ${JSON.stringify(column)} ${error.message}`, column)
      }
    }),
  )
}

function fieldOf(schema: ConnectSchema | undefined, name: string): ConnectSchema | undefined {
  return schema?.fields?.find(({ field }) => field === name)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(message: string, column?: string): PgBatchError {
  return new PgBatchError('ROW_INVALID', message, { outcome: 'not-sent', column })
}
