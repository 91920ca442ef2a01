import { createRequire } from 'node:module'
import { makeRowEncoder } from '../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../lib/encode/wire/slabs.ts'
import type { Column, PgType } from '../../lib/types.ts'
import type { EncodedColumn, EncodedTable, Row } from './tables.ts'

/** Bytes taken from the encoder at a time, as for a connection. */
const PIECE_BYTES = 64 * 1024

/** Encodes all rows, and gives the bytes to `onPiece`. */
export type EncodeAll = (onPiece?: (piece: Buffer) => void) => void

/**
 * This toolkit's encoder, as its COPY uses it; a pass gives its memory back, as a committed transaction does.
 */
export function ours({ columns }: EncodedTable, rows: readonly Row[], format: 'binary' | 'text'): EncodeAll {
  const encoder = makeRowEncoder({ columns: columns.map(toColumn), format })
  const pool = new SlabPool()
  return onPiece => {
    const slabs = pool.lease()
    const out = new ByteBuffer(slabs)
    encoder.begin(out)
    for (let ordinal = 0; ordinal < rows.length; ordinal++) {
      const needsText = encoder.row(out, rows[ordinal]!, ordinal)
      if (needsText !== undefined) throw new Error(`${needsText} of row ${ordinal} has no binary form`)
      if (out.length < PIECE_BYTES) continue
      const piece = out.take()
      onPiece?.(piece)
    }
    encoder.end(out)
    onPiece?.(out.take())
    slabs.release()
  }
}

interface PeerWriter {
  push: (piece: Buffer) => void
  _transform(row: readonly { type: string; value: unknown }[], encoding: undefined, done: () => void): void
  _flush(done: () => void): void
}

const { rowWriter } = createRequire(import.meta.url)('pg-copy-streams-binary') as {
  rowWriter: new () => PeerWriter
}

/**
 * pg-copy-streams-binary's row writer, called without its stream, and with its arrays of types and values
 * made beforehand: the least that it can take. Undefined where it lacks a column's type.
 */
export function peer({ columns }: EncodedTable, rows: readonly Row[]): EncodeAll | undefined {
  const fields = columns.flatMap(({ name, peer }) => (peer ? [{ name, ...peer }] : []))
  if (fields.length < columns.length) return undefined
  const vectors = rows.map(row =>
    fields.map(({ name, type, value = same }) => ({ type, value: value(row[name] as never) })),
  )
  return onPiece => {
    const writer = new rowWriter()
    writer.push = piece => onPiece?.(piece)
    for (const vector of vectors) writer._transform(vector, undefined, done)
    writer._flush(done)
  }
}

const same = (value: unknown): unknown => value
const done = (): void => {}

/** The parts of a type's catalogue entry that the encoder reads, and the element's OID that it writes. */
function toColumn({ name, type }: EncodedColumn): Column {
  const pgType = type.startsWith('_') ? arrayType(type) : baseType(type)
  return {
    name,
    type: pgType,
    sqlType: pgType.sqlName,
    notNull: false,
    hasDefault: false,
    generated: false,
    identity: 'none',
  }
}

const OF_PGVECTOR = ['vector', 'halfvec']
const ELEMENT_OIDS: Readonly<Record<string, number>> = { int4: 23, text: 25 }

function baseType(name: string): PgType {
  const extension = OF_PGVECTOR.includes(name) ? { builtIn: false, extension: 'vector' } : {}
  return { oid: ELEMENT_OIDS[name] ?? 0, name, sqlName: name, builtIn: true, kind: 'base', ...extension }
}

function arrayType(name: string): PgType {
  const element = baseType(name.slice(1))
  return { oid: 0, name, sqlName: `${element.sqlName}[]`, builtIn: true, kind: 'array', element }
}
