import { once } from 'node:events'
import { expect } from 'chai'
import { from as copyFrom } from 'pg-copy-streams'
import { COPY_HEADER_BYTES, CopyIn } from '../../../lib/connection/copy-in.ts'
import type { PgClientLike } from '../../../lib/connection/pg-types.ts'
import { makeRowEncoder } from '../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../lib/encode/wire/slabs.ts'
import type { Column } from '../../../lib/types.ts'
import { until } from '../../support/until.ts'

type Format = 'binary' | 'text'

/** What `pg` calls on either COPY. */
interface Copy {
  submit(connection: object): void
  handleCopyInResponse(): void
  handleCommandComplete(message: { text: string }): void
  handleReadyForQuery(): void
}

const COPY_DONE = 'c'.charCodeAt(0)
const TEXT = 'COPY t FROM STDIN'
const names = ['id', 'name', 'paid'] as const
const TYPES = ['int4', 'text', 'bool'] as const

const columns = names.map((name, index): Column => {
  const type = TYPES[index]!
  return {
    name,
    type: { oid: 0, name: type, sqlName: type, builtIn: true, kind: 'base' },
    sqlType: type,
    notNull: false,
    hasDefault: false,
    generated: false,
    identity: 'none',
  }
})

const ROWS = [
  { id: 1, name: 'Ada', paid: true },
  { id: -2, name: 'a\ttab, a \\ and\na line end', paid: false },
  { id: null, name: '', paid: null },
  { id: 2 ** 31 - 1, name: '\\.', paid: true },
  { id: 0, name: 'ä€😀', paid: false },
]

/** Returns the bytes of each row; the first and the last have what begins and ends a COPY. */
function encode(format: Format): Buffer[] {
  const encoder = makeRowEncoder({ columns, format })
  const out = new ByteBuffer(new SlabPool().lease())
  return ROWS.map((row, index) => {
    if (index === 0) encoder.begin(out)
    expect(encoder.row(out, row, index)).to.equal(undefined)
    if (index === ROWS.length - 1) encoder.end(out)
    return Buffer.from(out.take())
  })
}

/** A connection that keeps the statements and the bytes that are sent over it. */
function fakeConnection() {
  const statements: string[] = []
  const writes: Buffer[] = []
  const stream = {
    writableLength: 0,
    write(bytes: Uint8Array) {
      writes.push(Buffer.from(bytes))
      return true
    },
  }
  return { statements, writes, stream, query: (text: string) => statements.push(text), sendCopyFail() {} }
}

type Connection = ReturnType<typeof fakeConnection>

/** Answers a COPY as `pg` does. */
function answer(copy: Copy, rows: number): void {
  copy.handleCommandComplete({ text: `COPY ${rows}` })
  copy.handleReadyForQuery()
}

async function sendOurs(connection: Connection, chunks: readonly Buffer[]): Promise<number | undefined> {
  const client = { query: (copy: Copy) => copy.submit(connection) } as unknown as PgClientLike
  const copy = CopyIn.open(client, TEXT)
  copy.handleCopyInResponse()
  for (const chunk of chunks) await copy.write(Buffer.concat([Buffer.alloc(COPY_HEADER_BYTES), chunk]))
  const end = copy.end()
  answer(copy, ROWS.length)
  await end
  return copy.storedRows
}

async function sendTheirs(connection: Connection, chunks: readonly Buffer[]): Promise<number> {
  const copy = copyFrom(TEXT)
  const asked = copy as unknown as Copy
  asked.submit(connection)
  asked.handleCopyInResponse()
  for (const chunk of chunks) copy.write(chunk)
  copy.end()
  await until('CopyDone was sent', () => connection.writes.at(-1)?.[0] === COPY_DONE)
  const finished = once(copy, 'finish')
  answer(asked, ROWS.length)
  await finished
  return copy.rowCount
}

describe('our COPY and that of pg-copy-streams', () => {
  for (const format of ['binary', 'text'] as const) {
    it(`send the same bytes for the same rows over one connection: ${format}`, async () => {
      const chunks = encode(format)
      expect(chunks.every(({ length }) => length > 0)).to.equal(true)
      const connection = fakeConnection()
      expect(await sendOurs(connection, chunks)).to.equal(ROWS.length)
      const ours = connection.writes.splice(0)
      expect(await sendTheirs(connection, chunks)).to.equal(ROWS.length)
      const theirs = connection.writes.splice(0)
      expect(connection.statements).to.deep.equal([TEXT, TEXT])
      expect(Buffer.concat(ours)).to.deep.equal(Buffer.concat(theirs))
      // each chunk, and the end: one write of ours, two of theirs
      expect(ours).to.have.length(ROWS.length + 1)
      expect(theirs).to.have.length(2 * ROWS.length + 1)
    })
  }
})
