import { expect } from 'chai'
import { copyStatement, insertStatement } from '../../../lib/table/statements.ts'
import { mergeStatement, upsertStatement } from '../../../lib/table/upsert.ts'

const table = { schema: 's', name: 'say "t"' }
const conflict = {
  target: ['id'],
  action: 'update',
  keys: ['id'],
  nullsNotDistinct: false,
  update: ['n'],
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

  it('insert a row without columns by DEFAULT VALUES', () => {
    expect(insertStatement(table, [], [[]])).to.equal('INSERT INTO "s"."say ""t""" DEFAULT VALUES')
  })

  const columns = [
    { name: 'id', baseType: 'numeric', sqlType: 'numeric(10,2)' },
    { name: 'n', baseType: 'text', sqlType: 'text', defaultSql: "'x'::text" },
  ]
  const whole = { number: 0, columns: ['id', 'n'] }
  const withoutN = { number: 1, columns: ['id'] }

  it('sort and dedupe an upsert by its key, as the column would store it', () => {
    const text = upsertStatement(table, columns, [whole], [0, 0], conflict)
    expect(text)
      .to.contain('DISTINCT ON (("id"::numeric(10,2))')
      .and.to.match(/ORDER BY \("id"::numeric\(10,2\)\).*"pg_batch_ordinal" DESC/)
    expect(text).to.match(/ON CONFLICT \("id"\) DO UPDATE SET "n" = EXCLUDED\."n"$/)
    expect(text.match(/\$\d+/g)).to.deep.equal(['$1', '$2', '$3', '$4'])
  })

  it('put the DEFAULT where an upsert has no parameter', () => {
    const text = upsertStatement(table, columns, [whole, withoutN], [0, 1], conflict)
    expect(text).to.contain(`($1::numeric, $2::text, 0), ($3, ('x'::text)::text, 1)`)
  })

  it('do nothing on a conflict where there is nothing to update', () => {
    expect(insertStatement(table, ['id'], [[true]], { ...conflict, update: [] })).to.match(
      /\("id"\) DO NOTHING$/,
    )
  })

  it('merge rows of all shapes by one statement, with DEFAULTs where a shape has no column', () => {
    const text = mergeStatement('staging', table, columns, [whole, withoutN], conflict)
    expect(text).to.contain(`CASE WHEN "pg_batch_shape" IN (1) THEN ('x'::text)::text ELSE "n" END AS "n"`)
    expect(text).to.contain('DISTINCT ON ("id"')
  })

  const changes = { ...conflict, equals: ['OPERATOR(ext.=)'] }
  const deleted = { number: -1, columns: ['id'], deletes: true }

  it('upsert and delete by one statement, whose deletes have nothing but their key', () => {
    const text = upsertStatement(table, columns, [deleted, whole], [-1, 0], changes)
    expect(text).to.contain(`(VALUES ($1::numeric, NULL, 0, -1), ($2, $3::text, 1, 0))`)
    expect(text).to.contain('pg_batch_target."id" OPERATOR(ext.=) (pg_batch_last."id"::numeric(10,2))')
    expect(text).to.match(/FOR NO KEY UPDATE.*DELETE FROM.*INSERT INTO.*ON CONFLICT \("id"\) DO UPDATE/)
  })

  it('delete without an INSERT where there is nothing to upsert, and upsert as ever where nothing is deleted', () => {
    expect(mergeStatement('staging', table, columns, [deleted], changes))
      .to.match(/DELETE FROM/)
      .and.not.match(/INSERT/)
    const plain = mergeStatement('staging', table, columns, [whole], conflict)
    expect(mergeStatement('staging', table, columns, [whole], changes)).to.equal(plain)
  })

  it('leave a column out that no row has, so that the target fills it', () => {
    expect(mergeStatement('staging', table, columns, [withoutN], conflict)).to.contain('("id") SELECT')
  })
})
