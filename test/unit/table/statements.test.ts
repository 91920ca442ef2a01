import { expect } from 'chai'
import { conflictClause } from '../../../lib/table/merge/conflict.ts'
import { type MergeShape, mergeNames } from '../../../lib/table/merge/merge.ts'
import { mergeLoop } from '../../../lib/table/merge/merge-loop.ts'
import { insertLast } from '../../../lib/table/merge/merge-once.ts'
import { parameterRows, stagedRows } from '../../../lib/table/merge/merge-source.ts'
import {
  countSteps,
  deleteFirst,
  deleteLast,
  insertLastUpserts,
} from '../../../lib/table/merge/merge-steps.ts'
import { mergeStrategy } from '../../../lib/table/merge/merge-strategy.ts'
import { mergeTurn } from '../../../lib/table/merge/merge-turns.ts'
import { copyStatement, insertStatement } from '../../../lib/table/statements.ts'

const table = { schema: 's', name: 'say "t"' }
const conflict = {
  arbiter: ' ("id")',
  action: 'update',
  keys: ['id'],
  nullsNotDistinct: false,
  equalNulls: [],
  update: ['n'],
  equals: ['OPERATOR(ext.=)'],
  columnCount: 2,
  inOrder: false,
  severalKeys: false,
  lateKeys: false,
  judgement: {
    notNull: [],
    checks: [],
    foreignKeys: [],
    ownDefaults: [],
    isReferenced: false,
    mayLackPartition: false,
    hasPartition: null,
  },
  foldable: true,
  uniqueDefaults: true,
  oneByOne: false,
  updateOnly: false,
  computed: [],
  onlyIfChanged: false,
} as const

describe('SQL texts', () => {
  it('quote every name', () => {
    expect(copyStatement(table, ['a.b', 'select'], 'text')).to.equal(
      'COPY "s"."say ""t""" ("a.b", "select") FROM STDIN (FORMAT text)',
    )
  })

  it('number the parameters of an INSERT through all rows, with DEFAULT where there is none', () => {
    expect(
      insertStatement(
        table,
        ['a', 'b'],
        [
          [true, false],
          [true, true],
        ],
      ),
    ).to.equal('INSERT INTO "s"."say ""t""" ("a", "b") VALUES ($1, DEFAULT), ($2, $3)')
  })

  it('insert a row without columns as DEFAULT VALUES', () => {
    expect(insertStatement(table, [], [[]])).to.equal('INSERT INTO "s"."say ""t""" DEFAULT VALUES')
  })

  it('do nothing on a conflict where there is nothing to update', () => {
    expect(conflictClause({ ...conflict, update: [] }, ['id', 'n'])).to.match(/\("id"\) DO NOTHING$/)
  })

  const names = mergeNames(['id', 'n'])
  const merge = {
    table,
    columns: [
      { name: 'id', baseType: 'numeric', elementType: 'numeric', sqlType: 'numeric(10,2)' },
      { name: 'n', baseType: 'text', elementType: 'text', sqlType: 'text' },
    ],
    conflict,
    missing: new Map([['n', '(NULL)::text']]),
    generated: [],
    names,
    numbered: true,
    writesTwice: true,
  }
  const whole = { number: 0, columns: ['id', 'n'] }
  const withoutN = { number: 1, columns: ['id'] }
  const deleted = { number: -1, columns: ['id'], deletes: true }

  it('sort an upsert by its key, as the column would store it, and take the last row of a key', () => {
    const text = insertLast(merge, parameterRows(merge, [whole]), whole)
    expect(text)
      .to.contain('DISTINCT ON (("id"::numeric(10,2))')
      .and.to.match(/ORDER BY \("id"::numeric\(10,2\)\).*"pg_batch_ordinal" DESC/)
    expect(text).to.match(/ON CONFLICT \("id"\) DO UPDATE SET "n" = EXCLUDED\."n"$/)
    expect(text.match(/\$\d+/g)).to.deep.equal(['$1', '$2', '$3'])
  })

  it('name the columns of each row, and set no other', () => {
    const source = parameterRows(merge, [whole, withoutN])
    expect(source.from).to.contain('unnest($1::numeric[], $2::text[], $3::int[]) WITH ORDINALITY')
    const text = mergeTurn(merge, source, 1)
    expect(text).to.match(/AS stored \("id", "n"\) SELECT.*DO UPDATE SET "n" = EXCLUDED/)
    expect(text).to.match(/AS stored \("id"\) SELECT.*\("id"\) DO NOTHING/)
  })

  it('join an update-only by plain comparisons, one statement for each place of NULLs that are equal', () => {
    const keys = { keys: ['id', 'n'], equals: ['=', '='], update: ['v'], nullsNotDistinct: true }
    const onNulls = { ...conflict, ...keys, equalNulls: ['n'], updateOnly: true }
    const v = { name: 'v', baseType: 'int', sqlType: 'int' }
    const nulls = { ...merge, columns: [...merge.columns, v], conflict: onNulls }
    const shape = { number: 0, columns: ['id', 'n', 'v'] }
    const text = mergeTurn(nulls, stagedRows(nulls, 'staging', [shape]), 1)
    expect(text.match(/(?<=AS excluded WHERE ).*?(?= RETURNING)/g)).to.deep.equal([
      'stored."id" = excluded."id" AND stored."n" = excluded."n"',
      'stored."id" = excluded."id" AND stored."n" IS NOT DISTINCT FROM NULL AND excluded."n" IS NOT DISTINCT FROM NULL',
    ])
    const loop = mergeLoop(nulls, stagedRows(nulls, 'staging', [shape]), 'ordinal', 1)
    expect(loop).to.contain(
      'WHERE stored."id" = excluded."id" AND ' +
        '(stored."n" = excluded."n" OR stored."n" IS NOT DISTINCT FROM NULL AND excluded."n" IS NOT DISTINCT FROM NULL)',
    )
  })

  it('write shapes in one order, whichever comes first, so that new keys are locked in one order', () => {
    const written = [
      [whole, withoutN],
      [withoutN, whole],
    ].map(shapes => mergeTurn(merge, parameterRows(merge, shapes), 1).match(/AS stored \("[^)]*\)/g))
    expect(written[0]).to.have.length(2).and.to.deep.equal(written[1])
  })

  it('upsert and delete by one statement, whose deletes have only their key', () => {
    const source = parameterRows(merge, [deleted, whole])
    const text = mergeTurn(merge, source, 1)
    expect(text).to.contain('stored."id" OPERATOR(ext.=) (pg_batch_rows."id"::numeric(10,2))')
    expect(text).to.match(/FOR NO KEY UPDATE.*DELETE FROM.*INSERT INTO.*ON CONFLICT \("id"\) DO UPDATE/)
  })

  it('merge deletes and upserts in steps that lock nothing by SELECT and write the table once each', () => {
    const source = stagedRows(merge, 'staging', [whole, deleted])
    const first = deleteFirst(merge, source)
    const last = deleteLast(merge, source)
    const upserts = insertLastUpserts(merge, source)
    const onKey = 'WHERE stored."id" OPERATOR(ext.=) pg_batch_deletes."id"'
    expect(first).to.match(/^DELETE FROM "s"\."say ""t""" AS stored USING \(SELECT "id" FROM/)
    expect(
      first.endsWith(
        `"pg_batch_shape" IN (-1) AND "pg_batch_previous" IS NULL) AS pg_batch_deletes ${onKey}`,
      ),
    ).to.equal(true)
    expect(last).to.contain(
      'AND "pg_batch_next" IS NULL AND "pg_batch_previous" IS NOT NULL) AS pg_batch_deletes',
    )
    expect(upserts).to.match(
      /"pg_batch_shape" = 0 AND "pg_batch_next" IS NULL ORDER BY "id", "pg_batch_ordinal" ON CONFLICT \("id"\) DO UPDATE/,
    )
    for (const text of [countSteps(merge, source), first, last, upserts]) {
      expect(text).not.to.match(/FOR (NO KEY )?UPDATE|WITH /)
      expect(text.match(/DELETE FROM|INSERT INTO/g) ?? []).to.have.length.at.most(1)
    }
    expect(countSteps(merge, source)).not.to.contain('say ""t""')
  })

  it('name the additional columns of a staging table differently from all columns of the target', () => {
    const taken = ['pg_batch_ordinal', 'pg_batch_ordinal_', 'pg_batch_shape']
    expect(mergeNames(taken)).to.include({ ordinal: 'pg_batch_ordinal__', shape: 'pg_batch_shape_' })
  })

  it('quote a loop by a tag that none of its names contains', () => {
    const odd = { ...merge, columns: [{ ...merge.columns[0]!, name: '$pg_batch$' }] }
    const shape = { number: 0, columns: ['$pg_batch$'] }
    const text = mergeLoop(odd, stagedRows(odd, 'staging', [shape]), 'ordinal', 1)
    expect(text).to.match(/^DO \$pg_batch_\$[\s\S]*\$pg_batch_\$; SELECT/)
  })

  describe('of a merge are chosen', () => {
    const lowerId = {
      parts: [{ sql: 'lower(id)', inference: 'lower(id) text_ops', equals: 'OPERATOR(pg_catalog.=)' }],
      predicate: undefined,
      inputs: ['id'],
      generated: [],
      isSeparate: true,
    }
    const inOrder = { kind: 'all', order: 'ordinal', guarded: true }
    const cases: readonly [title: string, more: object, shapes: MergeShape[], expected: object][] = [
      ['for rows of one shape', {}, [whole], { kind: 'last', guarded: false }],
      [
        'where a row cannot have the value of a second key',
        { severalKeys: true, otherKeys: [{ columns: ['u'], own: ['u'] }] },
        [whole],
        { kind: 'last', guarded: true },
      ],
      ['where a second key may conflict', { severalKeys: true }, [whole], inOrder],
      ['for keys of several forms', { foldable: false }, [whole], { kind: 'turns', guarded: false }],
      ['for an update of nothing', { update: [] }, [whole], { kind: 'all', order: 'key', guarded: false }],
      ['for several shapes', {}, [whole, withoutN], { kind: 'turns', guarded: false }],
      [
        'for an update-only that would need a statement for each of many places of NULLs',
        { updateOnly: true, equalNulls: ['a', 'b', 'c', 'd', 'e'] },
        [whole, withoutN],
        { kind: 'one by one', order: 'key' },
      ],
      ['for deletes of whole rows', {}, [whole, deleted], { kind: 'last', guarded: false }],
      ['for deletes of parts', { columnCount: 3 }, [whole, deleted], { kind: 'turns', guarded: false }],
      ['for triggers', { inOrder: true }, [whole], { kind: 'all', order: 'ordinal', guarded: true }],
      [
        'for an index of an expression, whose locks are then in order',
        { keys: [], inOrder: true, special: lowerId },
        [whole],
        { kind: 'all', order: 'key', guarded: true },
      ],
      [
        'for an index of an expression, of which a row lacks a column',
        { keys: [], inOrder: true, special: lowerId },
        [{ number: 2, columns: ['n'] }],
        { kind: 'all', order: 'ordinal', guarded: true },
      ],
      [
        'for triggers, two shapes',
        { inOrder: true },
        [whole, withoutN],
        { kind: 'one by one', order: 'ordinal' },
      ],
    ]
    it('for a server that refuses a statement that writes a table twice', () => {
      const once = { ...merge, writesTwice: false }
      expect(mergeStrategy(once, [whole])).to.deep.equal({ kind: 'last', guarded: false })
      const oneByOne = { kind: 'one by one', order: 'key' }
      expect(mergeStrategy(once, [whole, withoutN])).to.deep.equal(oneByOne)
      expect(mergeStrategy(once, [whole, withoutN, deleted])).to.deep.equal(oneByOne)
      expect(mergeStrategy(once, [whole, deleted])).to.deep.equal({ kind: 'steps', guarded: false })
      expect(mergeStrategy(once, [deleted])).to.deep.equal({ kind: 'all', order: 'key', guarded: false })
      const otherKeys = [{ columns: ['u'], own: ['u'] }]
      const severalKeys = { ...once, conflict: { ...conflict, severalKeys: true, otherKeys } }
      expect(mergeStrategy(severalKeys, [whole, deleted])).to.deep.equal({ kind: 'steps', guarded: true })
      expect(mergeStrategy(severalKeys, [whole, withoutN])).to.deep.equal({ ...oneByOne, order: 'ordinal' })
    })

    for (const [title, more, shapes, expected] of cases) {
      it(title, () => {
        expect(mergeStrategy({ ...merge, conflict: { ...conflict, ...more } }, shapes)).to.deep.equal(
          expected,
        )
      })
    }
  })
})
