import { types } from 'node:util'
import { PgBatchError } from '../../errors.ts'
import type { TopicPartitionOffset } from '../offsets/position.ts'
import { parseJson } from './json-value.ts'

/** A message as the client delivers it, without deserializers. */
export interface KafkaRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key?: Uint8Array | null | undefined
  readonly value?: Uint8Array | null | undefined
  readonly headers: ReadonlyMap<unknown, unknown>
}

/** Makes a value of a message's bytes. If it throws, the message is rejected. */
export type ParseValue<Value> = (bytes: Buffer, message: KafkaMessage<unknown>) => Value

/**
 * One message. `value`, `key` and `headers` are decoded when they are first read.
 *
 * @typeParam Value what the bytes of the value mean; null for a tombstone
 */
export class KafkaMessage<Value = unknown> implements TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** The topic's id. A topic that was deleted and created again has another one. */
  readonly topicId: string | undefined
  readonly keyBytes: Buffer | null
  readonly valueBytes: Buffer | null
  readonly #record: KafkaRecord
  readonly #parse: ParseValue<Value> | undefined
  #value: { value: Value } | { error: PgBatchError } | undefined
  #headers: ReadonlyMap<string, string> | undefined
  #long = false

  constructor(record: KafkaRecord, topicId?: string, parse?: ParseValue<Value>) {
    this.topic = record.topic
    this.partition = record.partition
    this.offset = record.offset
    this.topicId = topicId
    this.keyBytes = toBuffer(record.key)
    this.valueBytes = toBuffer(record.value)
    this.#record = record
    this.#parse = parse
  }

  /** The producer's time, or the broker's, by the topic's configuration. */
  get timestamp(): Date {
    return new Date(Number(this.#record.timestamp))
  }

  /** True for a message without a value, which by convention deletes the row of its key. */
  get isTombstone(): boolean {
    return this.valueBytes === null
  }

  /** The key as UTF-8 text; null for none. */
  get key(): string | null {
    return this.keyBytes?.toString() ?? null
  }

  /** Names and values as UTF-8 text. Of a repeated name, the last value. */
  get headers(): ReadonlyMap<string, string> {
    this.#headers ??= new Map([...this.#record.headers].map(([name, value]) => [String(name), String(value)]))
    return this.#headers
  }

  /**
   * The decoded value; null for a tombstone.
   * @throws PgBatchError with code ROW_INVALID if the bytes cannot be decoded. If `toRow` does not catch it,
   *   the message is rejected with it
   */
  get value(): Value {
    this.#value ??= this.#read()
    if ('error' in this.#value) throw this.#value.error
    return this.#value.value
  }

  /** True if the value has a number that JavaScript would round, in the form that json-value.ts gives it. */
  get hasLongNumbers(): boolean {
    return this.#long
  }

  #read(): { value: Value } | { error: PgBatchError } {
    const bytes = this.valueBytes
    if (bytes === null) return { value: null as Value }
    try {
      if (this.#parse) return { value: this.#parse(bytes, this) }
      const { value, long } = parseJson(bytes)
      this.#long = long
      return { value: value as Value }
    } catch (cause) {
      const reason = this.#parse ? 'could not be read by `parseValue`' : `is ${(cause as Error).message}`
      const message = `The value of ${messageName(this)} ${reason}`
      return { error: new PgBatchError('ROW_INVALID', message, { outcome: 'not-sent', cause }) }
    }
  }

  /**
   * Returns what the dead letter stores of a message without a row: bytes as text if they are UTF-8,
   * otherwise as base64.
   */
  toJSON(): Record<string, unknown> {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: String(this.offset),
      timestamp: this.timestamp,
      key: readable(this.keyBytes),
      headers: Object.fromEntries(this.headers),
      value: readable(this.valueBytes),
    }
  }
}

/** The client has undefined or null for a missing key or value. */
function toBuffer(bytes: Uint8Array | null | undefined): Buffer | null {
  if (bytes === null || bytes === undefined) return null
  if (Buffer.isBuffer(bytes)) return bytes
  if (types.isUint8Array(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  throw new TypeError('Expected the Kafka consumer to have no deserializers: `parseValue` takes their place')
}

export function messageName({ topic, partition, offset }: TopicPartitionOffset): string {
  return `topic ${topic}, partition ${partition}, offset ${offset}`
}

function readable(bytes: Buffer | null): string | { base64: string } | null {
  if (bytes === null) return null
  const text = bytes.toString()
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') }
}
