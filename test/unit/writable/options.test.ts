import { expect } from 'chai'
import type { PgBatchWritableOptions } from '../../../lib/writable/options.ts'
import { PgBatchWritable } from '../../../lib/writable/pg-batch-writable.ts'

const pool = { connect: () => Promise.reject(new Error('not in this test')) }
const make = (options: unknown) => new PgBatchWritable(options as PgBatchWritableOptions<object>)

const TEXT = { text: String }

const CSV = { delimiter: ',', quote: '"', escape: '"', nulls: [''] }

const WRONG: readonly [options: unknown, message: RegExp][] = [
  [undefined, /`options` to be an object, got undefined/],
  [null, /`options` to be an object, got null/],
  [{ connect() {} }, /`options` to be an object, got a pool: write `\{ pool, table \}`/],
  [{ url: 'postgres://h/d', table: 't' }, /got `url`\. Did you mean `connectionString`\?/],
  [
    { pool: 'postgres://u:hunter2@h/d', table: 't' },
    /got `'postgres:\/\/…'` \(string\): make one by `new pg\.Pool/,
  ],
  [
    { pool, table: 't', onConflict: 'id' },
    /an object, got `'id'` \(string\): write `\{ target: \['id'\], action: 'update' \}`/,
  ],
  [{ pool, table: 't', onConflict: ['a', 'b'] }, /: write `\{ target: \['a', 'b'\], action: 'update' \}`/],
  [{ pool, table: 't', onConflict: 'nothing' }, /: write `\{ action: 'nothing' \}`/],
  [
    { pool, table: 't', onConflict: { columns: ['id'], action: 'update' } },
    /got `columns`\. Did you mean `target`\?/,
  ],
  [{ pool, table: 't', retry: 5 }, /`retry` to be an object, got `5` \(number\): write `\{ retries: 5 \}`/],
  [{}, /`pool`.*or `connectionString`, got neither/],
  [{ table: 't' }, /`pool`.*or `connectionString`, got neither/],
  [
    { pool, connectionString: 'postgres://u:hunter2@h/d', table: 't' },
    /either `pool` or `connectionString`, got both/,
  ],
  [{ pool: {}, table: 't' }, /`pool` to be a pool with a connect\(\) method/],
  [{ pool: 'postgres://', table: 't' }, /`pool` to be a pool/],
  [{ connectionString: '', table: 't' }, /`connectionString` to be a string that is not empty/],
  [{ connectionString: 5, table: 't' }, /`connectionString` to be a string.*got `5` \(number\)/],
  [{ pool }, /`table` to be a string that is not empty, got undefined/],
  [{ pool, table: '' }, /`table` to be a string that is not empty/],
  [{ pool, table: 5 }, /`table` to be a string that is not empty, got `5` \(number\)/],
  [{ pool, table: null }, /`table` to be an object/],
  [{ pool, table: { schema: 's' } }, /`table\.name` to be a string/],
  [{ pool, table: { schema: '', name: 't' } }, /`table\.schema` to be a string that is not empty/],
  [{ pool, table: { name: 't', shema: 's' } }, /got `shema`\. Did you mean `schema`\?/],
  [{ pool, table: 'schema.' }, /`table`/],
  [{ pool, table: '.name' }, /`table`/],
  [{ pool, table: '""' }, /`table`/],
  [{ pool, table: 't', schema: 's' }, /got `schema`\. Did you mean `table`\?/],
  [{ pool, table: 't', maxRetries: 3 }, /got `maxRetries`\. Did you mean `retry`\?/],
  [{ pool, table: 't', ignoreDuplicates: true }, /got `ignoreDuplicates`\. Did you mean `onConflict`\?/],
  [{ pool, tabel: 't' }, /got `tabel`\. Did you mean `table`\?/],
  [{ pool, table: 't', batchSize: 500 }, /got `batchSize`\. Did you mean `maxCount` of BatchTransform\?/],
  [{ pool, table: 't', onconflict: {} }, /got `onconflict`\. Did you mean `onConflict`\?/],
  [{ pool, table: 't', batchSize: 5 }, /to be among .*concurrency.*got `batchSize`/],
  [{ pool, table: 't', columns: 'id' }, /`columns` to be an array of column names/],
  [{ pool, table: 't', columns: [] }, /`columns` to be an array of column names that is not empty/],
  [{ pool, table: 't', columns: ['id', ''] }, /`columns` to be an array of column names/],
  [{ pool, table: 't', columns: ['id', 'n', 'id'] }, /each column of `columns` once, got "id" twice/],
  [{ pool, table: 't', toRow: 'x' }, /`toRow` to be a function/],
  [{ pool, table: 't', codecs: [] }, /`codecs` to be an object/],
  [
    { pool, table: 't', codecs: { point: TEXT } },
    /each key of `codecs` to be a schema, a dot and a type.*got "point"/,
  ],
  [{ pool, table: 't', codecs: { 'public.': TEXT } }, /each key of `codecs`/],
  [{ pool, table: 't', codecs: { 'a.b': null } }, /`codecs\["a\.b"\]` to be an object, got null/],
  [{ pool, table: 't', codecs: { 'a.b': {} } }, /`codecs\["a\.b"\]\.text` to be a function/],
  [
    { pool, table: 't', codecs: { 'a.b': { ...TEXT, binary: 5 } } },
    /`codecs\["a\.b"\]\.binary` to be a function/,
  ],
  [{ pool, table: 't', codecs: { 'a.b': { ...TEXT, binry() {} } } }, /got `binry`\. Did you mean `binary`\?/],
  [{ pool, table: 't', laneOf: {} }, /`laneOf` to be a function/],
  [{ pool, table: 't', inTransaction: 1 }, /`inTransaction` to be a function, got `1` \(number\)/],
  [{ pool, table: 't', afterCommit: true }, /`afterCommit` to be a function/],
  [
    { pool, table: 't', callbackTimeoutMs: 0 },
    /`callbackTimeoutMs` to be an integer from 1 to 2147483647, got `0`/,
  ],
  [{ pool, table: 't', callbackTimeoutMs: Number.POSITIVE_INFINITY }, /`callbackTimeoutMs` to be an integer/],
  ...['statementTimeoutMs', 'commitTimeoutMs'].flatMap(name =>
    [99, 2 ** 31, Number.POSITIVE_INFINITY].map((ms): [object, RegExp] => [
      { pool, table: 't', [name]: ms },
      new RegExp(`\`${name}\` to be an integer from 100 to 2147483647, got \`${ms}\``),
    ]),
  ),
  [{ pool, table: 't', signal: {} }, /`signal` to be an AbortSignal/],
  [{ pool, table: 't', signal: new AbortController() }, /an AbortSignal, got .*: write `controller\.signal`/],
  [{ pool, table: 't', unknownKeys: 'drop' }, /`unknownKeys` to be one of 'error', 'ignore', got `'drop'`/],
  [{ pool, table: 't', evolve: 'yes' }, /`evolve` to be true, false or an object, got `'yes'`/],
  [{ pool, table: 't', evolve: { addColumns: 1 } }, /`evolve\.addColumns` to be true or false, got `1`/],
  [{ pool, table: 't', evolve: { maxNewColumns: -1 } }, /`evolve\.maxNewColumns` to be an integer ≥ 0/],
  [{ pool, table: 't', evolve: { lockTimeoutMs: 0 } }, /`evolve\.lockTimeoutMs` to be an integer from 1/],
  [{ pool, table: 't', evolve: { widen: true } }, /got `widen`/],
  [{ pool, table: 't', evolve: { addColumns: false } }, /`evolve\.addColumns` or `evolve\.widenTypes`/],
  [
    { pool, table: 't', evolve: { widenTypes: true }, singleTransaction: true },
    /no `evolve\.widenTypes` with `singleTransaction`/,
  ],
  [{ pool, table: 't', evolve: true, columns: ['id'] }, /no `columns` with `evolve`/],
  [{ pool, table: 't', evolve: true, unknownKeys: 'ignore' }, /no `unknownKeys: 'ignore'` with `evolve`/],
  [{ pool, table: 't', method: 'COPY' }, /`method` to be one of 'auto', 'copy', 'insert'/],
  [{ pool, table: 't', copyFormat: 'csv' }, /`copyFormat` to be one of 'auto', 'binary', 'text'/],
  [{ pool, table: 't', method: 'insert', copyFormat: 'text' }, /no `copyFormat` with `method: 'insert'`/],
  [{ pool, table: 't', singleTransaction: 1 }, /`singleTransaction` to be true or false, got `1` \(number\)/],
  [
    { pool, table: 't', singleTransaction: true, concurrency: 2 },
    /`concurrency` to be 1 with `singleTransaction`.* got `2`/,
  ],
  [
    { pool, table: 't', singleTransaction: true, afterCommit: () => {} },
    /no `afterCommit` with `singleTransaction`/,
  ],
  [
    { pool, table: 't', singleTransaction: true, checkpoint: { name: 'n', position: () => ({ offset: 1 }) } },
    /no `checkpoint` with `singleTransaction`/,
  ],
  [{ pool, table: 't', replace: 1 }, /`replace` to be true, false or an object, got `1` \(number\)/],
  [{ pool, table: 't', replace: { minRow: 1 } }, /got `minRow`\. Did you mean `minRows`\?/],
  [{ pool, table: 't', replace: { minRows: -1 } }, /`replace\.minRows` to be an integer ≥ 0, got `-1`/],
  [{ pool, table: 't', replace: true, concurrency: 2 }, /`concurrency` to be 1 with `replace`/],
  [
    { pool, table: 't', replace: true, singleTransaction: false },
    /no `singleTransaction: false` with `replace`/,
  ],
  [{ pool, table: 't', replace: true, onConflict: { action: 'nothing' } }, /no `onConflict` with `replace`/],
  [{ pool, table: 't', replace: true, inTransaction: () => {} }, /no `inTransaction` with `replace`/],
  [{ pool, table: 't', blocks: { layout: true } }, /`blocks.layout` to be a BlockLayout/],
  [{ pool, table: 't', csv: true }, /`csv` to be an object/],
  [{ pool, table: 't', csv: { format: CSV, fields: 'id' } }, /`csv\.fields` to be an array of column names/],
  [{ pool, table: 't', csv: { format: CSV, fields: [undefined] } }, /`csv\.fields`.* that is not empty/],
  [{ pool, table: 't', csv: { format: CSV, fields: ['id', 'id'] } }, /each column of `csv\.fields` once/],
  [
    { pool, table: 't', csv: { format: {}, fields: ['id'] } },
    /`csv\.format\.delimiter` to be a character of ASCII/,
  ],
  [{ pool, table: 't', csv: { format: { ...CSV, quote: '“' }, fields: ['id'] } }, /`csv\.format\.quote`/],
  [{ pool, table: 't', csv: { format: { ...CSV, nulls: '' }, fields: ['id'] } }, /`csv\.format\.nulls`/],
  [{ pool, table: 't', csv: { format: CSV, fields: ['id'] }, columns: ['id'] }, /no `columns` with `csv`/],
  [{ pool, table: 't', csv: { format: CSV, fields: ['id'] }, method: 'insert' }, /no `method` with `csv`/],
  [
    {
      pool,
      table: 't',
      position: () => ({ offset: 0 }),
      checkpoint: { name: 'n', position: () => ({ offset: 0 }) },
    },
    /no `position` with `checkpoint`/,
  ],
  [{ pool, table: 't', concurrency: 0 }, /`concurrency` to be an integer ≥ 1, got `0` \(number\)/],
  [{ pool, table: 't', concurrency: 1.5 }, /`concurrency` to be an integer ≥ 1/],
  [{ pool, table: 't', concurrency: '2' }, /`concurrency` to be an integer ≥ 1, got `'2'` \(string\)/],
  [{ pool, table: 't', concurrency: Number.POSITIVE_INFINITY }, /`concurrency` to be an integer ≥ 1/],
  [{ pool, table: 't', onConflict: 'update' }, /`onConflict` to be an object/],
  [{ pool, table: 't', onConflict: {} }, /`onConflict\.action` to be one of 'nothing', 'update'/],
  [{ pool, table: 't', onConflict: { action: 'update' } }, /`onConflict\.target` with `action: 'update'`/],
  [{ pool, table: 't', onConflict: { action: 'update', target: [] } }, /`onConflict\.target`/],
  [
    { pool, table: 't', onConflict: { action: 'update', target: 'id' } },
    /`onConflict\.target` to be an array of column names/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'nothing', target: { constrain: 'x' } } },
    /Did you mean `constraint`\?/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'nothing', update: ['a'] } },
    /no `onConflict\.update` with `action: 'nothing'`/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], update: [] } },
    /`onConflict\.update`/,
  ],
  [{ pool, table: 't', onConflict: { action: 'update', target: ['id'], set: ['a'] } }, /got `set`/],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], update: {} } },
    /`onConflict\.update` to be an array of column names, or the SQL of each column/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], update: { n: 1 } } },
    /`onConflict\.update\.n` to be SQL over `stored` and `excluded`, got `1`/,
  ],
  [{ pool, table: 't', onConflict: { action: 'update', target: ['id'], where: ' ' } }, /`onConflict\.where`/],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], mode: 'update' } },
    /`onConflict\.mode` to be one of 'upsert', 'update-only'/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], onlyIfChanged: 1 } },
    /`onConflict\.onlyIfChanged` to be true or false/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: ['id'], newerBy: 'id' } },
    /`onConflict\.newerBy` to be no column of `onConflict\.target`/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'nothing', newerBy: 'at' } },
    /no `onConflict\.newerBy` with `action: 'nothing'`/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: {} } },
    /`onConflict\.target` to have either `constraint` or `index`/,
  ],
  [
    { pool, table: 't', onConflict: { action: 'update', target: { constraint: 'a', index: 'b' } } },
    /`onConflict\.target` to have either `constraint` or `index`/,
  ],
  [{ pool, table: 't', operation: 'delete' }, /`operation` to be a function/],
  [{ pool, table: 't', operation: () => 'delete' }, /`onConflict` with `target`.*with `operation`/],
  [
    { pool, table: 't', operation: () => 'delete', onConflict: { action: 'nothing', target: ['id'] } },
    /`action: 'update'` with `operation`/,
  ],
]

const RIGHT: readonly object[] = [
  { pool, table: 't', csv: { format: CSV, fields: [undefined, 'id'] }, copyFormat: 'text' },
  { pool, table: 't' },
  {
    pool,
    table: 's.t',
    columns: undefined,
    signal: undefined,
    onConflict: undefined,
    concurrency: undefined,
  },
  { pool, table: { name: 't' }, concurrency: 7, method: 'insert' },
  { connectionString: 'postgres://localhost/x', table: { schema: 's', name: 't' }, copyFormat: 'binary' },
  { pool, table: 't', onConflict: { action: 'nothing' }, signal: new AbortController().signal },
  { pool, table: 't', onConflict: { action: 'update', target: { constraint: 'k' }, update: ['a'] } },
  { pool, table: 't', onConflict: { action: 'update', target: ['id'] }, operation: () => 'upsert' },
  {
    pool,
    table: 't',
    onConflict: {
      action: 'update',
      target: { index: 'k' },
      mode: 'update-only',
      update: { n: 'stored.n + 1' },
      newerBy: 'at',
      onlyIfChanged: true,
      where: 'stored.n < 9',
    },
  },
]

describe('options of PgBatchWritable', () => {
  for (const [options, message] of WRONG) {
    it(`are refused with what was expected and what came: ${message.source}`, () => {
      expect(() => make(options))
        .to.throw(TypeError, message)
        .with.property('code', 'ERR_INVALID_ARG_VALUE')
    })
  }

  for (const [options, message] of [
    [
      { pool, table: 't', onConflict: { action: 'update', target: 'id' } },
      "Expected `onConflict.target` to be an array of column names that is not empty, got `'id'` " +
        "(string): write `['id']`",
    ],
    [
      { pool, table: 't', columns: 'id' },
      "Expected `columns` to be an array of column names that is not empty, got `'id'` (string): " +
        "write `['id']`",
    ],
    [
      { pool, table: 't', columns: 'id, name' },
      "Expected `columns` to be an array of column names that is not empty, got `'id, name'` (string): " +
        "write `['id', 'name']`",
    ],
    [
      { pool, table: 't', columns: '*' },
      "Expected `columns` to be an array of column names that is not empty, got `'*'` (string): " +
        'name each of them',
    ],
    [
      { pool, table: 't', deadLetter: 'rejects.ndjson' },
      "Expected `deadLetter` to be a Writable in object mode or { table }, got `'rejects.ndjson'` (string): " +
        "for a file write `ndjsonDeadLetter('rejects.ndjson')`",
    ],
    [
      { table: 't', connectionString: undefined },
      'Expected `connectionString` to be a string that is not empty, got undefined: is ' +
        'DATABASE_URL set?',
    ],
    [
      { table: 't', connectionString: '' },
      "Expected `connectionString` to be a string that is not empty, got `''` (string): is DATABASE_URL set?",
    ],
    [
      { pool, table: 't', retry: { retires: 3 } },
      'Expected the options of retry to be among retries, minDelayMs, maxDelayMs, maxElapsedMs, shouldRetry, ' +
        'got `retires`. Did you mean `retries`?',
    ],
    [
      { pool, table: 't', retry: { maxAttempts: 3 } },
      'Expected the options of retry to be among retries, minDelayMs, maxDelayMs, maxElapsedMs, shouldRetry, ' +
        'got `maxAttempts`. Did you mean `retries`?',
    ],
    [
      { pool, table: 't', deadLetter: { tabel: 'dead' } },
      'Expected the options of deadLetter to be among table, file, got `tabel`. Did you mean `table`?',
    ],
    [
      { pool, table: 't', checkpoint: { nane: 'orders' } },
      'Expected the options of checkpoint to be among name, position, table, startsAfter, ' +
        'got `nane`. Did you mean `name`?',
    ],
    [
      { pool, table: 't', onConflict: { actoin: 'update' } },
      'Expected the options of onConflict to be among target, action, mode, update, newerBy, onlyIfChanged, where, got `actoin`. Did you ' +
        'mean `action`?',
    ],
    [
      { pool, table: 't', checkpoint: { name: 'n', position: () => ({ offset: 0 }), table: { nam: 'c' } } },
      'Expected the options of checkpoint.table to be among name, schema, got `nam`. Did you mean `name`?',
    ],
  ] as const) {
    it(`are refused with what to write instead: ${message}`, () => {
      expect(() => make(options))
        .to.throw(TypeError)
        .with.property('message', message)
    })
  }

  it('never show up whole in the message that refuses them', () => {
    const options = { pool, table: 't', connectionString: 'postgres://u:hunter2@h/d' }
    expect(() => make(options))
      .to.throw(TypeError)
      .with.property('message')
      .that.does.not.include('hunter2')
    expect(() => make({ pool: { password: 'hunter2' }, table: 't' }))
      .to.throw(TypeError)
      .with.property('message')
      .that.does.not.include('hunter2')
  })

  for (const [index, options] of RIGHT.entries()) {
    it(`are taken, and nothing is connected by the constructor: ${index}`, () => {
      const writable = make(options)
      expect(writable.stats).to.deep.equal({
        rowsReceived: 0,
        rowsCommitted: 0,
        rowsUnchanged: 0,
        rowsRejected: 0,
        rowsSkipped: 0,
        rowsPending: 0,
        batchesReceived: 0,
        batchesCommitted: 0,
        transactions: 0,
        bytesSent: 0,
        state: 'idle',
        lastCommitAt: undefined,
        oldestPendingMs: 0,
      })
      writable.destroy()
    })
  }
})
