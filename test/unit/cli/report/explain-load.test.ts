import { expect } from 'chai'
import { explainLoad, type FailedLoad } from '../../../../lib/cli/report/explain-load.ts'
import { runAgain } from '../../../../lib/cli/report/run-again.ts'
import { RowPositions } from '../../../../lib/cli/rows/row-positions.ts'
import { PgBatchError } from '../../../../lib/errors.ts'
import { MalformedRecord } from '../../../../lib/sources/source-error.ts'
import type { Column, Table } from '../../../../lib/types.ts'
import { tableChanged } from '../../../../lib/write/faults/table-changed.ts'
import { NO_TEXTS } from '../../../../lib/write/plan/texts/row-texts.ts'
import type { RowGroup } from '../../../../lib/write/rows/batch.ts'
import { RowSet } from '../../../../lib/write/rows/row-set.ts'
import { noteSentValue } from '../../../../lib/write/transaction/sent-value.ts'

const table = {
  name: 'guests',
  columns: [{ name: 'ok', sqlType: 'boolean' } as Column],
  uniqueKeys: [{ index: 'guests_pkey', columns: ['id', 'day'] }],
} as unknown as Table

function load(showsValues: boolean): FailedLoad {
  const positions = new RowPositions()
  positions.addBatch(3, Uint32Array.of(2, 3, 6))
  return {
    placeOf: (row, line) => `guests.csv: row ${row}${line === undefined ? '' : ` (line ${line})`}`,
    lineOf: () => undefined,
    table,
    user: 'ada',
    positions,
    rowsCommitted: 0,
    mayHaveCommittedMore: false,
    format: 'csv',
    isDayFirst: false,
    showsValues,
    args: { files: ['guests.csv'] },
  }
}

function refused(
  sqlState: string,
  server: { message: string; where?: string; detail?: string; hint?: string; constraint?: string },
  reason: string,
  column?: string,
): PgBatchError {
  const cause = Object.assign(new Error(server.message), { severity: 'ERROR', code: sqlState, ...server })
  const details = { outcome: 'rolled-back', batchId: 1, rowIndex: 2, sqlState, column, cause } as const
  return new PgBatchError('REFUSED', reason, { ...details, constraint: server.constraint })
}

const badBoolean = refused(
  '22P02',
  {
    message: 'invalid input syntax for type boolean: "maybe"',
    where: 'COPY guests, line 1, column ok: "maybe"',
  },
  'The server refused a row: invalid_text_representation (SQLSTATE 22P02)',
  'ok',
)
const tooLong = refused(
  '22001',
  { message: 'value too long for type boolean', where: 'COPY guests, line 1, column ok' },
  'The server refused a row: string_data_right_truncation (SQLSTATE 22001)',
  'ok',
)
const twice = refused(
  '23505',
  {
    message: 'duplicate key value violates unique constraint "guests_pkey"',
    detail: 'Key (id, day)=(1, 2026-01-05) already exists.',
    constraint: 'guests_pkey',
  },
  'The server refused a row: duplicate key value violates unique constraint "guests_pkey" (SQLSTATE 23505)',
)
const raised = refused(
  'P0001',
  { message: 'no Grace here' },
  'The server refused a row: raise_exception (SQLSTATE P0001)',
)

const OTHERS = '--rejects FILE keeps such rows and loads the others; nothing committed'

describe('the message of a row that the server refuses', () => {
  it('names what has changed in the table, without the advice of the library', () => {
    const error = tableChanged({ schema: 'public', name: 'guests' }, ['"ok" is missing'])
    expect(explainLoad(error, load(false)).message).to.equal(
      'guests: The columns of "public"."guests" have changed since these rows were encoded: "ok" is missing' +
        '; nothing committed',
    )
  })

  it('has the value on a terminal', () => {
    const said = (error: PgBatchError) => explainLoad(error, load(true)).message
    expect(said(badBoolean)).to.equal(
      `guests.csv: row 3 (line 6): not a valid boolean for "ok" (22P02): "maybe"; ${OTHERS}`,
    )
    expect(said(tooLong)).to.equal(
      `guests.csv: row 3 (line 6): too long for "ok", which is boolean (22001); ${OTHERS}`,
    )
    expect(said(twice)).to.equal(
      'guests.csv: row 3 (line 6): duplicate key value violates unique constraint "guests_pkey" (23505): ' +
        'Key (id, day)=(1, 2026-01-05) already exists; --on-conflict id,day updates the row that is there, ' +
        '--on-conflict-do nothing keeps it; nothing committed',
    )
    expect(said(raised)).to.equal(
      `guests.csv: row 3 (line 6): the server refused the row (P0001): no Grace here; ${OTHERS}`,
    )
  })

  it('has no value elsewhere', () => {
    const said = (error: PgBatchError) => explainLoad(error, load(false)).message
    expect(said(badBoolean)).to.equal(
      `guests.csv: row 3 (line 6): not a valid boolean for "ok" (22P02); ${OTHERS}`,
    )
    for (const error of [badBoolean, tooLong, twice, raised])
      expect(said(error)).not.to.match(/maybe|2026|Grace/)
  })
})

describe('the message of a date that is out of range', () => {
  for (const hint of ['different "datestyle" setting', 'different "DateStyle" setting']) {
    const cause = { message: 'date/time field value out of range: "31/12/2020"', hint }
    const error = refused('22008', cause, 'The server refused a row', 'ok')

    it(`proposes another order of its parts, as PostgreSQL's ${hint} does`, () => {
      expect(explainLoad(error, load(false)).message).to.contain('set PGDATESTYLE=DMY; ')
      const other = explainLoad(error, { ...load(false), isDayFirst: true }).message
      expect(other).to.not.contain('PGDATESTYLE')
    })
  }
})

describe('the message of a malformed record', () => {
  const never = new MalformedRecord('guests.csv: line 3 begins a quoted field that never ends')
  const said = (options: Partial<FailedLoad['args']>, format: FailedLoad['format'] = 'csv') =>
    explainLoad(never, { ...load(false), args: { ...load(false).args, ...options }, format }).message.slice(
      never.message.length,
    )

  it('names the options that let the load continue', () => {
    const keeps = '; --rejects FILE keeps such records and loads the others'
    expect(said({})).to.equal(`${keeps}, --lenient repairs those whose meaning is clear; nothing committed`)
    expect(said({ lenient: true })).to.equal(`${keeps}; nothing committed`)
    expect(said({}, 'ndjson')).to.equal(`${keeps}; nothing committed`)
  })

  it('names no option that replay does not have, or that is given', () => {
    const other = '; replay reads what --rejects has written, load reads other files'
    expect(said({ replay: true })).to.equal(`${other}; nothing committed`)
    const csv = new MalformedRecord('a.csv: line 1 is not valid JSON', { hint: 'if it is CSV, …' })
    const { message } = explainLoad(csv, { ...load(false), args: { ...load(false).args, replay: true } })
    expect(message).to.equal(`a.csv: line 1 is not valid JSON${other}; nothing committed`)
    expect(said({ rejects: 'bad.ndjson' })).to.equal('; nothing committed')
  })
})

describe('the line of a row', () => {
  it('is that of the record, also where records have several lines', () => {
    const positions = new RowPositions(10)
    positions.addBatch(2, 12)
    positions.addBatch(3, Uint32Array.of(16, 17, 20))
    positions.addBatch(1)
    expect([0, 1].map(index => positions.lineOf(1, index))).to.deep.equal([12, 13])
    expect([0, 1, 2].map(index => positions.lineOf(2, index))).to.deep.equal([16, 17, 20])
    expect(positions.lineOf(3, 0)).to.equal(undefined)
    expect(positions.rowNumber(2, 0)).to.equal(13)
  })

  it('is forgotten for the oldest rows if the lines of millions of rows are irregular', () => {
    const positions = new RowPositions()
    const uneven = Uint32Array.from({ length: 1_000_000 }, (_, index) => 2 * index + 3)
    for (let batch = 0; batch < 4; batch++) positions.addBatch(uneven.length, uneven)
    expect([1, 2, 3, 4].map(batch => positions.lineOf(batch, 1))).to.deep.equal([undefined, undefined, 5, 5])
  })
})

describe('what the same command does after an interruption', () => {
  const files = ['a.csv']
  for (const [options, said] of [
    [
      { files },
      'the same command loads them a second time, unless --on-conflict names a unique key; ' +
        'only a load that began with --resume NAME continues where it stopped',
    ],
    [{ files: ['-'] }, 'the same command loads them a second time, unless --on-conflict names a unique key'],
    [{ files, resume: 'x' }, 'the same command, with --resume x, continues from there'],
    [{ files, truncate: true }, 'the same command empties the table and starts again'],
    [{ files, create: true }, 'the table stays: to start again, leave out --create and add --truncate'],
    [{ files, onConflict: ['id'] }, 'the same command starts again and updates the rows that are there'],
    [{ files, onConflictDo: 'nothing' }, 'the same command starts again and skips the rows that are there'],
  ] as const) {
    it(`is said for ${JSON.stringify(options)}`, () => {
      expect(runAgain(options)).to.equal(said)
    })
  }

  it('show a value that the server does not quote, on a terminal only', () => {
    const cause = Object.assign(new Error('value too long for type character varying(5)'), {
      severity: 'ERROR',
      code: '22001',
    })
    const rows = new RowSet([{ ok: 'longer than that' }])
    const place = { group: { rows } as RowGroup, index: 0, column: 'ok' }
    noteSentValue(cause, place, { columns: [], textsOf: row => ({ ...NO_TEXTS, values: row as never }) })
    const reason = 'The server refused a row: string_data_right_truncation (SQLSTATE 22001)'
    const details = {
      outcome: 'rolled-back',
      batchId: 1,
      rowIndex: 2,
      sqlState: '22001',
      column: 'ok',
      cause,
    } as const
    const error = new PgBatchError('REFUSED', reason, details)
    expect(explainLoad(error, load(true)).message).to.contain('(22001): "longer than that"; --rejects')
    expect(explainLoad(error, load(false)).message).not.to.contain('longer')
  })
})
