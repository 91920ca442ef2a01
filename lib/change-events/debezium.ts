import { types } from 'node:util'
import { PgBatchError } from '../errors.ts'
import { checkObject, checkString, oneOf } from '../options/checks.ts'
import { defaultsTo, optional, resolveOptions } from '../options/option-table.ts'
import { type BytesText, noteBytesText } from '../values/bytes-text.ts'
import { exactNumber, isWellFormedJson, LongNumber, parseExactJson, stringsIn } from '../values/exact-json.ts'
import { ConnectValueError } from './connect-value-error.ts'
import { type ConnectSchema, decodeConnectValue } from './connect-values.ts'
import { DEFAULT_PLACEHOLDER, type IsUnavailable, unavailableTest } from './placeholder.ts'

/** What a change event of Debezium asks for, in the words of `PgBatchWritable`'s `operation` and `toRow`. */
export interface DebeziumChange<Row = Record<string, unknown>> {
  readonly operation: 'upsert' | 'delete'
  /** The row after the change; of a delete, the row before it, of which only the key has to be there. */
  readonly row: Row
}

/** What the connector is configured with, as far as its events do not say it. */
export interface DebeziumOptions {
  /** `unavailable.value.placeholder`. @default '__debezium_unavailable_value' */
  unavailableValuePlaceholder?: string | undefined
  /**
   * `binary.handling.mode`: how bytea is written in events whose schema does not say that it is bytes, which are those
   * without a schema, and all of the modes other than `bytes`. Without it, PgBatchWritable rejects such text for a
   * column of bytes.
   * @default none
   */
  binaryHandlingMode?: 'bytes' | BytesText | undefined
}

const OPTIONS = Object.freeze({
  unavailableValuePlaceholder: defaultsTo(DEFAULT_PLACEHOLDER, checkString),
  binaryHandlingMode: optional(oneOf('bytes', 'base64', 'base64-url-safe', 'hex')),
})

/** What the options say, made ready. */
interface Reading {
  readonly isUnavailable: IsUnavailable
  readonly bytesText: BytesText | 'unknown'
}

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
 * @param options what the connector is configured with
 * @returns null where there is nothing to write
 * @throws TypeError for wrong options
 * @throws PgBatchError with code ROW_INVALID for what is no such event, and for an update without the value of a TOAST
 *   column (`REPLICA IDENTITY FULL` on the source's table brings it)
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-toasted-values
 */
export function fromDebezium<Row = Record<string, unknown>>(
  value: unknown,
  key?: unknown,
  options: DebeziumOptions = {},
): DebeziumChange<Row> | null {
  const reading = readingOf(options)
  const change = changeOf(value, key, reading)
  if (change) noteBytesText(change.row, reading.bytesText)
  return change as DebeziumChange<Row> | null
}

function changeOf(value: unknown, key: unknown, reading: Reading): DebeziumChange<object> | null {
  const { payload, schema } = unwrap(value)
  if (payload === null || payload === undefined) return deleteOf(undefined, key)
  if (!isObject(payload) || typeof payload.op !== 'string') {
    throw invalid('Expected an envelope of Debezium with `op`, `before` and `after`')
  }
  switch (payload.op) {
    case 'c':
    case 'r':
    case 'u':
      return { operation: 'upsert', row: rowAfter(payload, schema, reading) }
    case 'd':
      return deleteOf({ row: payload.before, schema: fieldOf(schema, 'before') }, key)
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

const DEFAULT_READING: Reading = { isUnavailable: unavailableTest(DEFAULT_PLACEHOLDER), bytesText: 'unknown' }

/** By their options object, which a program gives again with each event. */
const readings = new WeakMap<object, Reading>()

function readingOf(options: DebeziumOptions): Reading {
  if (Object.keys(options).length === 0) return DEFAULT_READING
  let reading = readings.get(options)
  if (!reading) {
    reading = makeReading(options)
    readings.set(options, reading)
  }
  return reading
}

function makeReading(options: DebeziumOptions): Reading {
  const { unavailableValuePlaceholder: placeholder, binaryHandlingMode: mode } = resolveOptions(
    'fromDebezium',
    OPTIONS,
    checkObject('options', options),
  )
  const bytesText = mode === 'bytes' ? 'base64' : (mode ?? 'unknown')
  return { isUnavailable: unavailableTest(placeholder), bytesText }
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
  let value: unknown
  try {
    value = parseExactJson(text, safeNumber)
  } catch {
    // the parser's own words quote the text
    throw invalid('Expected a change event as JSON')
  }
  if (isWellFormedJson(text, () => stringsIn(value))) return value
  throw invalid('The change event has half of a surrogate pair, which PostgreSQL has no text for')
}

/** Whole numbers that a double holds by chance stay texts: an object's would have been rounded by `JSON.parse`. */
function safeNumber(text: string): unknown {
  const number = exactNumber(text)
  return typeof number === 'number' && Number.isInteger(number) && !Number.isSafeInteger(number)
    ? new LongNumber(text)
    : number
}

function rowAfter(
  { after }: Record<string, unknown>,
  schema: ConnectSchema | undefined,
  { isUnavailable }: Reading,
): object {
  if (!isObject(after)) throw invalid('Expected `after` of an envelope of Debezium to be a row')
  for (const [column, value] of Object.entries(after)) {
    if (!isUnavailable(value)) continue
    throw invalid(
      `Column ${JSON.stringify(column)} was left as it was, and the event does not have its value: set REPLICA IDENTITY FULL on its table`,
      column,
    )
  }
  return decodeRow(after, fieldOf(schema, 'after'))
}

function deleteOf(
  before: { row: unknown; schema: ConnectSchema | undefined } | undefined,
  key: unknown,
): DebeziumChange<object> | null {
  if (before && isObject(before.row)) {
    return { operation: 'delete', row: decodeRow(before.row, before.schema) }
  }
  if (key !== null && key !== undefined) {
    const { payload, schema } = unwrap(key)
    if (!isObject(payload)) throw invalid("Expected the key of a delete to have the key's columns")
    return { operation: 'delete', row: decodeRow(payload, schema) }
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
        // of the engine, whose stack a value takes a part of for each level
        if (error instanceof RangeError)
          throw invalid(`Field ${JSON.stringify(column)} is nested too deep`, column)
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
