import { expect } from 'chai'
import { useDatabase } from '../../../support/servers/database.ts'
import { usePools } from '../../../support/servers/pools.ts'
import { countOf, failureOf, METHODS, options, rowsOf, valuesOf, write } from '../../../support/writing.ts'

describe('rows and their keys', () => {
  const db = useDatabase()
  const makePool = usePools(db)

  beforeEach(async () => {
    await db.pool.query(`DROP TABLE IF EXISTS people; CREATE TABLE people (id int, name text, age int)`)
  })

  const stored = () => valuesOf(db.pool, 'SELECT id, name, age FROM people ORDER BY id')

  for (const way of METHODS) {
    it(`reads class getters, inherited fields and rows without a prototype, by ${way.title}`, async () => {
      class Person {
        readonly id: number
        #name = 'private'
        constructor(id: number) {
          this.id = id
        }
        get name() {
          return this.#name
        }
        age() {}
      }
      class Aged extends Person {
        override age = (): number => 0
      }
      Object.defineProperty(Aged.prototype, 'kept', { value: 1 })
      const bare = Object.assign(Object.create(null), { id: 2, name: 'bare', age: 20 })
      const heir = Object.create({ name: 'inherited', age: 30 }, { id: { value: 3, enumerable: true } })
      const rows = [new Person(1), bare, heir]
      await write<object>([rows], {
        pool: makePool().pool,
        table: 'people',
        columns: ['id', 'name'] as never,
        unknownKeys: 'ignore',
        ...options(way),
      })
      expect(await stored()).to.deep.equal([
        [1, 'private', null],
        [2, 'bare', null],
        [3, 'inherited', null],
      ])
    })

    it(`finds each value by its column's name, with keys in any order, by ${way.title}`, async () => {
      const rows = [
        { age: 10, id: 1, name: 'a' },
        { name: 'b', id: 2, age: 20 },
      ]
      await write([rows], {
        pool: makePool().pool,
        table: 'people',
        columns: ['name', 'age', 'id'],
        ...options(way),
      })
      expect(await stored()).to.deep.equal([
        [1, 'a', 10],
        [2, 'b', 20],
      ])
    })
  }

  it('fails at an unknown key before the batch is sent, and names row, key and what to do', async () => {
    const rows = rowsOf(100, id => (id === 60 ? { id, nmae: 'typo' } : { id, name: 'x' }))
    const error = await failureOf(write<object>([rows], { pool: makePool().pool, table: 'people' }))
    expect(error).to.include({
      code: 'ROW_INVALID',
      outcome: 'not-sent',
      rowIndex: 60,
      batchId: 1,
      column: 'nmae',
    })
    expect(error.message).to.match(/"nmae".*not a column of .*people.*unknownKeys: 'ignore'/)
    expect(await countOf(db.pool, 'people')).to.equal(0)
  })

  it('ignores an unknown key whose value is undefined', async () => {
    await write<object>([[{ id: 1, other: undefined }]], { pool: makePool().pool, table: 'people' })
    expect(await stored()).to.deep.equal([[1, null, null]])
  })

  it("leaves unknown keys out with unknownKeys: 'ignore'", async () => {
    const rows = rowsOf(100, id => ({ id, more: 'not stored', name: 'x' }))
    await write<object>([rows], { pool: makePool().pool, table: 'people', unknownKeys: 'ignore' })
    expect(await countOf(db.pool, `people WHERE name = 'x' AND age IS NULL`)).to.equal(100)
  })

  it('refuses a key that is a column, but is not listed in `columns`', async () => {
    const error = await failureOf(
      write<object>([[{ id: 1, name: 'x' }]], {
        pool: makePool().pool,
        table: 'people',
        columns: ['id'] as never,
      }),
    )
    expect(error).to.include({ code: 'ROW_INVALID', column: 'name' })
    expect(error.message).to.contain('not among `columns`')
  })

  it('skips and counts the items for which toRow returns null or undefined', async () => {
    const { stats, commits } = await write([rowsOf(100, id => id), [1, 3]], {
      pool: makePool().pool,
      table: 'people',
      toRow: (id: number) => (id % 4 === 0 ? { id, name: null } : id % 4 === 1 ? null : undefined),
    } as never)
    expect(stats).to.include({ rowsReceived: 102, rowsCommitted: 25, rowsSkipped: 77, rowsRejected: 0 })
    expect(commits.reduce((rows, commit) => rows + commit.rows, 0)).to.equal(25)
    expect(await countOf(db.pool, 'people')).to.equal(25)
  })

  it('names the item that toRow threw for, keeps the cause, and calls toRow once for each item', async () => {
    let calls = 0
    const toRow = (id: number) => {
      calls++
      if (id === 2007) throw new RangeError('no such id')
      return { id, name: 'x' }
    }
    const batches = [rowsOf(10, id => id), rowsOf(10, id => id, 1000), rowsOf(10, id => id, 2000)]
    const error = await failureOf(write(batches, { pool: makePool().pool, table: 'people', toRow }))
    expect(error).to.include({ code: 'CALLBACK_FAILED', outcome: 'not-sent', batchId: 3, rowIndex: 7 })
    expect(error.cause).to.be.instanceOf(RangeError)
    expect(calls).to.equal(30)
    expect(await countOf(db.pool, 'people')).to.equal(20)
  })

  const INVALID: readonly [title: string, item: unknown][] = [
    ['a number', 5],
    ['a string', 'x'],
    ['null', null],
    ['undefined', undefined],
    ['an array', [1]],
    ['a function', () => {}],
  ]
  for (const [title, item] of INVALID) {
    it(`refuses ${title} in place of a row`, async () => {
      const batch = [{ id: 1 }, item] as { id: number }[]
      const error = await failureOf(write([batch], { pool: makePool().pool, table: 'people' }))
      expect(error).to.include({ code: 'ROW_INVALID', outcome: 'not-sent', rowIndex: 1, batchId: 1 })
      expect(await countOf(db.pool, 'people')).to.equal(0)
    })
  }

  it('refuses a promise of toRow, and leaves no rejection unhandled when that promise fails', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      const toRow = (async () => {
        throw new Error('too late')
      }) as never
      const error = await failureOf(write([[{ id: 1 }]], { pool: makePool().pool, table: 'people', toRow }))
      expect(error).to.include({ code: 'ROW_INVALID', rowIndex: 0 })
      expect(error.message).to.contain('synchronous')
      await new Promise(resolve => setImmediate(resolve))
      expect(unhandled).to.deep.equal([])
    } finally {
      process.off('unhandledRejection', note)
    }
  })

  for (const way of METHODS) {
    it(`names row and column of a getter that throws, by ${way.title}`, async () => {
      await db.pool.query('ALTER TABLE people ALTER name SET DEFAULT $$x$$')
      for (const [index, column] of ['age', 'name'].entries()) {
        const trap = Object.defineProperty({ id: 1 }, column, {
          enumerable: true,
          get() {
            throw new Error('trapped')
          },
        })
        const error = await failureOf(
          write<object>([[{ id: 0 }, trap]], { pool: makePool().pool, table: 'people', ...options(way) }),
        )
        expect(error, `column ${index}`).to.include({ rowIndex: 1, batchId: 1, column })
        expect(error.code).to.be.oneOf(['ROW_INVALID', 'VALUE_NOT_ENCODABLE'])
        expect(error.outcome).to.be.oneOf(['not-sent', 'rolled-back'])
      }
      expect(await countOf(db.pool, 'people')).to.equal(0)
    })
  }
})
