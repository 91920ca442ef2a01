import { once } from 'node:events'
import { createRequire } from 'node:module'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { codecFor } from '../../../lib/encode/codecs/codec-for.ts'
import { canBeBinary, makeRowEncoder, ValueError } from '../../../lib/encode/row-encoder.ts'
import { ByteBuffer } from '../../../lib/encode/wire/byte-buffer.ts'
import { SlabPool } from '../../../lib/encode/wire/slabs.ts'
import { INTROSPECTION_SQL, introspectionValues } from '../../../lib/table/introspect.ts'
import { unnested } from '../../../lib/table/merge/merge-source.ts'
import { readTable } from '../../../lib/table/read-table.ts'
import type { Column } from '../../../lib/types.ts'
import { mergeColumn } from '../../../lib/write/plan/merge-plan.ts'
import { RowSet } from '../../../lib/write/rows/row-set.ts'
import { arrayParameters, NotTogether } from '../../../lib/write/send/insert/array-parameters.ts'

const { prepareValue } = createRequire(import.meta.url)('pg/lib/utils.js') as {
  prepareValue: (value: unknown) => unknown
}

/**
 * The outcome for each value: the server's text and the bytes of its send function, or null where it was
 * refused.
 */
export type Outcomes = (string | null)[]

/** How the statements that may fail are sent to a server. */
export interface Access {
  /** Inserts into the table `kept`. Rejects where the server refuses the parameter. */
  insert(id: number, parameter: unknown): Promise<void>
  /** Runs a statement with parameters. Absent where the driver cannot send binary ones. */
  run?(text: string, values: unknown[]): Promise<unknown>
  /** Copies into the table `kept`. Rejects where the server refuses a row. */
  copy(format: 'binary' | 'text', bytes: Buffer): Promise<void>
}

function accessOf(client: pg.ClientBase): Access {
  return {
    async insert(id, parameter) {
      await client.query({ text: 'INSERT INTO kept (id, c) VALUES ($1, $2)', values: [id, parameter] })
    },
    run: (text, values) => client.query({ text, values }),
    async copy(format, bytes) {
      const stream = client.query(copyFrom(`COPY kept (id, c) FROM STDIN (FORMAT ${format})`))
      stream.end(bytes)
      await once(stream, 'finish')
    },
  }
}

/** One column of a type, to store values in by each path and to look at what was stored. */
export class Storage {
  readonly #client: pg.ClientBase
  readonly #access: Access
  readonly column: Column
  /** How many fields were binary: a test asserts that its path was taken at all. */
  binaryFields = 0
  /** How many values were elements of a binary array. */
  binaryElements = 0

  private constructor(client: pg.ClientBase, column: Column, access: Access) {
    this.#client = client
    this.#access = access
    this.column = column
  }

  static async open(client: pg.ClientBase, sqlType: string, access = accessOf(client)): Promise<Storage> {
    await client.query(`DROP TABLE IF EXISTS kept; CREATE TEMP TABLE kept (id serial, c ${sqlType})`)
    const { rows } = await client.query(INTROSPECTION_SQL, introspectionValues({ name: 'kept' }))
    const column = readTable(rows[0]).columns[1]!
    return new Storage(client, column, access)
  }

  get canBeBinary(): boolean {
    return canBeBinary([this.column])
  }

  get hasBinaryArrays(): boolean {
    return this.canBeBinary && mergeColumn(this.column).elementOid !== undefined
  }

  /** The oracle: what `pg` stores. What its own conversion throws at never leaves the process. */
  byPg(values: readonly unknown[]): Promise<Outcomes> {
    return this.#byInsert(values, value => {
      prepareValue(value)
      return value
    })
  }

  /** Bytes that text COPY leaves to INSERT. */
  hasNoText(value: unknown): boolean {
    const { text, textOfBinary } = codecFor(this.column.type)
    try {
      const parameter = value === null || value === undefined ? null : text(value)
      return parameter instanceof Buffer && textOfBinary?.(parameter) === undefined
    } catch {
      return false
    }
  }

  byInsert(values: readonly unknown[]): Promise<Outcomes> {
    const { text } = codecFor(this.column.type)
    return this.#byInsert(values, value => (value === null || value === undefined ? null : text(value)))
  }

  async #byInsert(values: readonly unknown[], parameter: (value: unknown) => unknown): Promise<Outcomes> {
    await this.#clear()
    for (const [id, value] of values.entries()) {
      try {
        await this.#access.insert(id, parameter(value))
      } catch {}
    }
    return this.#stored(values.length)
  }

  byCopyText(values: readonly unknown[]): Promise<Outcomes> {
    return this.#byCopy(values, 'text')
  }

  /** Binary, and text for a value without an exact binary form. */
  byCopyBinary(values: readonly unknown[]): Promise<Outcomes> {
    return this.#byCopy(values, this.canBeBinary ? 'binary' : 'text')
  }

  async #byCopy(values: readonly unknown[], wanted: 'binary' | 'text'): Promise<Outcomes> {
    await this.#clear()
    const columns = [{ ...this.column, name: 'id', type: INT4 }, this.column]
    const forms = {
      binary: makeRowEncoder({ columns, format: wanted }),
      text: makeRowEncoder({ columns, format: 'text' }),
    }
    const ids = { binary: [] as number[], text: [] as number[] }
    for (const id of values.keys()) {
      const out = new ByteBuffer(new SlabPool(1024).lease())
      try {
        const refused = wanted === 'binary' ? forms.binary.row(out, { id, c: values[id] }, 0) : 'c'
        ids[refused === undefined ? 'binary' : 'text'].push(id)
        if (refused !== undefined && out.length > 0) throw new Error('the buffer was not rewound')
      } catch (error) {
        if (!(error instanceof ValueError)) throw error
      }
    }
    this.binaryFields += ids.binary.length
    const send = async (format: 'binary' | 'text', some: readonly number[]): Promise<void> => {
      if (some.length === 0) return
      const out = new ByteBuffer(new SlabPool(1024).lease())
      const encoder = forms[format]
      encoder.begin(out)
      for (const id of some) {
        try {
          encoder.row(out, { id, c: values[id] }, 0)
        } catch (error) {
          if (!(error instanceof ValueError)) throw error
        }
      }
      encoder.end(out)
      try {
        await this.#access.copy(format, out.take())
      } catch {
        if (some.length === 1) return
        const middle = some.length >> 1
        await send(format, some.slice(0, middle))
        await send(format, some.slice(middle))
      }
    }
    await send('binary', ids.binary)
    await send('text', ids.text)
    return this.#stored(values.length)
  }

  /**
   * By arrays of one value. Undefined where that is not possible; a value that cannot be in an array has the
   * outcome of `byInsert`.
   */
  async byArray(values: readonly unknown[]): Promise<Outcomes | undefined> {
    const { run } = this.#access
    if (!run) return undefined
    const outcomes = await this.byInsert(values)
    const alone = new Map<number, string | null>()
    await this.#clear()
    const codec = codecFor(this.column.type)
    const read = (row: object): unknown => (row as { c: unknown }).c
    const planned = [{ name: 'c', read, known: { column: this.column, codec } }]
    const column = mergeColumn(this.column)
    const { from, cells } = unnested([column])
    const out = new ByteBuffer(new SlabPool(1024).lease())
    for (const [id, c] of values.entries()) {
      const batch = { id: 1, count: 1, items: [] }
      const group = { batch, shape: { number: 0, columns: [0] }, rows: new RowSet([{ c }]) }
      try {
        const { values: arrays } = arrayParameters([{ group, index: 0 }], [column], planned, out)
        await run(`INSERT INTO kept (id, c) SELECT ${id}, ${cells[0]} FROM ${from}`, arrays)
        if (Buffer.isBuffer(arrays[0])) this.binaryElements++
      } catch (error) {
        if (error instanceof NotTogether) alone.set(id, outcomes[id]!)
      }
    }
    const stored = await this.#stored(values.length)
    return stored.map((outcome, id) => (alone.has(id) ? alone.get(id)! : outcome))
  }

  async #clear(): Promise<void> {
    await this.#client.query('TRUNCATE kept')
  }

  async #stored(count: number): Promise<Outcomes> {
    const outcomes: Outcomes = Array(count).fill(null)
    const { rows } = await this.#client.query({
      text: "SELECT id, c::text, encode(record_send(row(c)), 'hex') FROM kept",
      rowMode: 'array',
    })
    for (const [id, text, bytes] of rows) outcomes[id] = `${text} ${bytes}`
    return outcomes
  }
}

const INT4 = { oid: 23, name: 'int4', sqlName: 'integer', builtIn: true, kind: 'base' } as const
