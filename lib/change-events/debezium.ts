import { types } from 'node:util'
import { PgBatchError } from '../errors.ts'
import { checkObject, checkString, oneOf } from '../options/checks.ts'
import { defaultsTo, optional, resolveOptions } from '../options/option-table.ts'
import { type BytesText, noteBytesText } from '../values/bytes-text.ts'
import { exactNumber, isWellFormedJson, LongNumber, parseExactJson, stringsIn } from '../values/exact-json.ts'
import { ConnectValueError } from './connect-value-error.ts'
import { type ConnectSchema, decodeConnectValue } from './connect-values.ts'
import { DEFAULT_PLACEHOLDER, type IsUnavailable, unavailableTest } from './placeholder.ts'

/** A change of a row: the results of PgBatchWritable's `operation` and `toRow` for a change event. */
export interface DebeziumChange<Row = Record<string, unknown>> {
  readonly operation: 'upsert' | 'delete'
  /** The row after the change. For a delete, the row before it, which needs to have only the key. */
  readonly row: Row
}

/** Settings of the connector that its events do not contain. */
export interface DebeziumOptions {
  /** `unavailable.value.placeholder`. @default '__debezium_unavailable_value' */
  unavailableValuePlaceholder?: string | undefined
  /**
   * `binary.handling.mode`: how bytea is written if the event's schema does not show it. That is so in events
   * without a schema, and in every mode other than `bytes`. Without this option PgBatchWritable rejects such
   * text for a column of bytes.
   * @default none
   */
  binaryHandlingMode?: 'bytes' | BytesText | undefined
}

const OPTIONS = Object.freeze({
  unavailableValuePlaceholder: defaultsTo(DEFAULT_PLACEHOLDER, checkString),
  binaryHandlingMode: optional(oneOf('bytes', 'base64', 'base64-url-safe', 'hex')),
})

/** The options, prepared for use. */
interface EventFormat {
  readonly isUnavailable: IsUnavailable
  readonly bytesText: BytesText | 'unknown'
}

/**
 * Returns the change of a change event of [Debezium](https://debezium.io), as Kafka Connect's JSON converter
 * writes it, with or without schemas. The event may be text, bytes, or the result of a JSON parser. From text
 * and bytes, no number loses a digit.
 *
 *     op c, r, u (create, read by a snapshot, update)   → upsert of `after`
 *     op d (delete)                                     → delete of `before`, or else of `key`
 *     a tombstone (no value)                            → delete of `key`; undefined without a key
 *     op m (a message of pg_logical_emit_message)       → undefined
 *     op t (truncate)                                   → an error; `skipped.operations` omits it
 *
 * A changed primary key comes as a delete and a create, in this order. With a schema, dates, times,
 * timestamps, decimals and bytes become values that PostgreSQL reads, without rounding. Without a schema
 * values stay as they are.
 *
 * @param value the message's value
 * @param key the message's key: the row's primary key
 * @param options settings of the connector
 * @returns undefined if there is nothing to write
 * @throws TypeError for wrong options
 * @throws PgBatchError with code ROW_INVALID for anything but such an event, and for an update without the
 *   value of a TOAST column (`REPLICA IDENTITY FULL` on the source's table adds it)
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-events
 * @see https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-toasted-values
 */
export function fromDebezium<Row = Record<string, unknown>>(
  value: unknown,
  key?: unknown,
  options: DebeziumOptions = {},
): DebeziumChange<Row> | undefined {
  const format = formatOf(options)
  const change = changeOf(value, key, format)
  if (change) noteBytesText(change.row, format.bytesText)
  return change as DebeziumChange<Row> | undefined
}

function changeOf(value: unknown, key: unknown, format: EventFormat): DebeziumChange<object> | undefined {
  const { payload, schema } = unwrap(value)
  if (payload === null || payload === undefined) return deleteOf(undefined, key)
  if (!isObject(payload) || typeof payload.op !== 'string') {
    throw invalid('Expected an envelope of Debezium with `op`, `before` and `after`')
  }
  switch (payload.op) {
    case 'c':
    case 'r':
    case 'u':
      return { operation: 'upsert', row: rowAfter(payload, schema, format) }
    case 'd':
      return deleteOf({ row: payload.before, schema: fieldOf(schema, 'before') }, key)
    case 'm':
      return undefined
    case 't':
      throw invalid(
        'A truncate (op t) is not the change of a row: set `skipped.operations=t`, or handle it before',
      )
    default:
      throw invalid('Expected `op` of an envelope of Debezium to be one of c, r, u, d, t, m')
  }
}

const DEFAULT_FORMAT: EventFormat = {
  isUnavailable: unavailableTest(DEFAULT_PLACEHOLDER),
  bytesText: 'unknown',
}

/** By the options object, which a program passes with every event. */
const formats = new WeakMap<object, EventFormat>()

function formatOf(options: DebeziumOptions): EventFormat {
  if (Object.keys(options).length === 0) return DEFAULT_FORMAT
  let format = formats.get(options)
  if (!format) {
    format = makeFormat(options)
    formats.set(options, format)
  }
  return format
}

function makeFormat(options: DebeziumOptions): EventFormat {
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

/** Returns the payload, and the schema that the converter adds with `schemas.enable`. */
function unwrap(event: unknown): Unwrapped {
  const value = typeof event === 'string' || types.isUint8Array(event) ? parse(event) : event
  if (!isObject(value) || !('payload' in value) || 'op' in value) return { payload: value, schema: undefined }
  return { payload: value.payload, schema: (value.schema as ConnectSchema | null | undefined) ?? undefined }
}

function parse(event: string | Uint8Array): unknown {
  const text = typeof event === 'string' ? event : textOf(event)
  if (text === '') return null
  let value: unknown
  try {
    value = parseExactJson(text, safeNumber)
  } catch {
    // the parser's message quotes the text
    throw invalid('Expected a change event as JSON')
  }
  if (isWellFormedJson(text, () => stringsIn(value))) return value
  throw invalid('The change event has half of a surrogate pair, which PostgreSQL has no text for')
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw invalid('Expected a change event in UTF-8')
  }
}

/** Returns an integer that is not safe as a `LongNumber`, even if a double holds it exactly. */
function safeNumber(text: string): unknown {
  const number = exactNumber(text)
  return typeof number === 'number' && Number.isInteger(number) && !Number.isSafeInteger(number)
    ? new LongNumber(text)
    : number
}

function rowAfter(
  { after }: Record<string, unknown>,
  schema: ConnectSchema | undefined,
  { isUnavailable }: EventFormat,
): object {
  if (!isObject(after)) throw invalid('Expected `after` of an envelope of Debezium to be a row')
  for (const [column, value] of Object.entries(after)) {
    if (!isUnavailable(value)) continue
    throw invalid(
      `Column ${JSON.stringify(column)} is unchanged, and the event does not have its value: ` +
        'set REPLICA IDENTITY FULL on its table',
      column,
    )
  }
  return decodeRow(after, fieldOf(schema, 'after'))
}

function deleteOf(
  before: { row: unknown; schema: ConnectSchema | undefined } | undefined,
  key: unknown,
): DebeziumChange<object> | undefined {
  if (before && isObject(before.row)) {
    return { operation: 'delete', row: decodeRow(before.row, before.schema) }
  }
  if (key !== null && key !== undefined) {
    const { payload, schema } = unwrap(key)
    if (!isObject(payload)) throw invalid("Expected the key of a delete to have the key's columns")
    return { operation: 'delete', row: decodeRow(payload, schema) }
  }
  if (!before) return undefined
  throw invalid('A delete (op d) has no `before`, and no key was passed: the row is unknown')
}

function decodeRow(row: Record<string, unknown>, schema: ConnectSchema | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      try {
        return [column, decodeConnectValue(value, fieldOf(schema, column))]
      } catch (error) {
        // the stack overflows at a value with very many levels
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
