import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { until } from '../../../support/until.ts'
import { run, start } from '../support.ts'

describe('pg-batch load, of JSON as it is found:', () => {
  const database = useDatabase()
  const file = useFolder()
  const env = () => ({ DATABASE_URL: database.connectionString })

  beforeEach(() =>
    database.pool.query(`
      DROP TABLE IF EXISTS t, made, pg_batch_resume, pg_batch_checkpoint;
      CREATE TABLE t (id int, price numeric, tags jsonb)`),
  )

  const load = (...words: string[]) => run(['load', ...words, '-t', 't'], env())
  const stored = async () => {
    const text = 'SELECT id, price::text, tags FROM t ORDER BY id'
    return (await database.pool.query({ text, rowMode: 'array' })).rows
  }

  const ROWS = [
    [1, '10.50', null],
    [2, '12345678901234567890.1', [{ a: 1 }]],
  ]
  const ONE = '{"id":1,"price":10.50}'
  const TWO = '{"id":2,"price":12345678901234567890.1,"tags":[{"a":1}]}'
  const pretty = (json: string) => json.replaceAll(/([{,])"/g, '$1\n  "').replace(/}$/, '\n}')
  const found: [title: string, text: string | Buffer, path?: string][] = [
    ['lines', `${ONE}\n${TWO}\n`],
    ['lines, the first of which has a list of objects', `${TWO}\n${ONE}`],
    ['pretty-printed objects', `${pretty(ONE)}\n${pretty(TWO)}\n`],
    ['objects without anything between', ONE + TWO],
    ['a list', `[${ONE},\r\n${TWO}]`],
    ['two lists', `[${ONE}][${TWO}]`],
    ['an envelope', `{"data":[${ONE},${TWO}],"next":null}`, 'data'],
    ['an envelope with a line for each row', `{"data":[${ONE},\n${TWO}]}`, 'data'],
    ['a nested envelope', `{"result":{"total":2,"data":[${ONE},${TWO}]}}`, 'result.data'],
    ['packed pages', gzipSync(`{"data":[${ONE}]}\n{"data":[${TWO}]}`), 'data'],
    ['UTF-16', Buffer.from(`\ufeff${ONE}\n${TWO}`, 'utf16le')],
    [
      'a FeatureCollection',
      `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":${ONE}},{"properties":${TWO}}]}`,
      'features.properties',
    ],
  ]
  for (const [title, text, path] of found) {
    it(`${title} in a .json file, and through a pipe`, async () => {
      const words = path === undefined ? [] : ['--record-path', path]
      const named = await load(await file('found.json', text), ...words)
      expect(named.status, named.stderr).to.equal(0)
      expect(await stored()).to.deep.equal(ROWS)
      await database.pool.query('TRUNCATE t')
      const piped = await run(['load', '-', '-t', 't', ...words], env(), text)
      expect(piped.status, piped.stderr).to.equal(0)
      expect(await stored()).to.deep.equal(ROWS)
    })
  }

  it('proposes the path of an envelope, and loads nothing', async () => {
    for (const [text, path] of [
      [`{"meta":{"links":[{"x":1}]},"data":[${ONE},${TWO}]}\n`, 'data (others: meta.links)'],
      [`{"a":1,\n"the rows":[\n{"id":1}${',{"id":2}'.repeat(20_000)}]}`, 'the rows'],
      [pretty(`{"type":"FeatureCollection","features":[${ONE}]}`), 'features'],
    ] as const) {
      const { status, stderr } = await load(await file('envelope.json', text))
      expect(status).to.equal(2)
      const name = path.replace(/ \(.*/, '')
      const word = name.includes(' ') ? `'${name}'` : name
      expect(stderr).to.contain(
        `it is an object that has a list of objects in "${name}"${path.slice(name.length)}`,
      )
      expect(stderr).to.contain(`say --record-path ${word} if these are the rows, or --record-path .`)
    }
    expect(await stored()).to.deep.equal([])
  })

  it('proposes the properties of GeoJSON, too', async () => {
    const geo = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,"properties":${ONE}}]}`
    const { stderr } = await load(await file('places.geojson', geo))
    expect(stderr).to.contain(
      'say --record-path features if these are the rows, ' +
        '--record-path features.properties if their properties are, or --record-path . if',
    )
  })

  it('refuses options of CSV, which would do nothing', async () => {
    for (const [words, option] of [
      [['--null', 'NA'], '--null'],
      [['--decimal-separator', ','], '--decimal-separator'],
      [['--no-header'], '--no-header'],
    ] as const) {
      const { status, stderr } = await load(await file('rows.ndjson', ONE), ...words)
      expect(stderr).to.match(new RegExp(`rows.ndjson: ${option} has no meaning for JSON\n$`))
      expect(status).to.equal(2)
    }
  })

  it('takes options of CSV that change no value', async () => {
    const { status, stderr } = await load(await file('plain.ndjson', ONE), '--lenient', '--strict-header')
    expect(status, stderr).to.equal(0)
  })

  it('reads documents of a pipe that share lines', async () => {
    const { status, stderr } = await run(['load', '-', '-t', 't'], env(), `${ONE}${TWO}\n${ONE}\n`)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.have.length(3)
  })

  it('takes the object itself as the row with --record-path .', async () => {
    const { status, stderr } = await load(await file('one.json', TWO), '--record-path', '.')
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([ROWS[1]])
  })

  it('reads a line of a pipe at once, also if the file could go on', async () => {
    const { process: child, ended } = start(['load', '-', '-t', 't', '--batch-size', '1'], env())
    child.stdin!.write(`${TWO}\n`)
    await until('the row is stored', async () => (await stored()).length === 1)
    child.stdin!.end(`${ONE}\n`)
    expect((await ended).status).to.equal(0)
    expect(await stored()).to.deep.equal(ROWS)
  })

  it('keeps malformed records of an envelope in the rejects, with their lines', async () => {
    const path = await file(
      'bad.json',
      `{"data":[${ONE},\n{"id":NaN},\n"x"],"n":1}\n{"error":"none"}\n{"data":[${TWO}]}`,
    )
    const rejects = join(dirname(path), 'bad.rejects.ndjson')
    const { status, stderr } = await load(path, '--record-path', 'data', '--rejects', rejects)
    expect(status, stderr).to.equal(0)
    const lines = (await readFile(rejects, 'utf8')).trim().split('\n')
    expect(lines.map(line => JSON.parse(line).message)).to.deep.equal([
      'record 2 (line 2) is not valid JSON',
      'record 3 (line 3) is a string, expected an object',
      'record 4 (line 4) has no key "data"',
    ])
    expect(await stored()).to.deep.equal(ROWS)
  })

  it('keeps a record whose key is not valid JSON, or which lacks a key of the path, in the rejects', async () => {
    const damaged = [
      [`[${ONE},\n{"a\\q":1},\n${TWO}]`, '', 'record 2 (line 2) is not valid JSON'],
      [`{"items":[${ONE},\n{"a\\q":[{}]},\n${TWO}]}`, 'items', 'record 2 (line 2) is not valid JSON'],
      [`{"a\\q":1}\n${ONE}\n${TWO}\n`, '', 'line 1 is not valid JSON'],
      [
        `{"data":[{"items":[${ONE}]},\n{"other":1},{"items":[${TWO}]}]}`,
        'data.items',
        'record 2 (line 2) has no key "items"',
      ],
    ] as const
    for (const [at, [text, path, fault]] of damaged.entries()) {
      await database.pool.query('TRUNCATE t')
      const name = await file('keys.json', text)
      const rejects = join(dirname(name), `keys-${at}.rejects.ndjson`)
      const words = path === '' ? [] : ['--record-path', path]
      const { status, stderr } = await load(name, ...words, '--rejects', rejects)
      expect(status, stderr).to.equal(0)
      expect(JSON.parse(await readFile(rejects, 'utf8')).message).to.equal(fault)
      expect(await stored()).to.deep.equal(ROWS)
    }
  })

  it('resumes, and not with another path', async () => {
    const path = await file('resumed.json', `{"data":[${ONE},${TWO}],"more":{"data":[${ONE}]}}`)
    expect((await load(path, '--record-path', 'data', '--resume', 'r')).status).to.equal(0)
    expect((await load(path, '--record-path', 'data', '--resume', 'r')).stdout).to.contain('is complete')
    const other = await load(path, '--record-path', 'more.data', '--resume', 'r')
    expect(other.status).to.equal(1)
    expect(other.stderr).to.contain('records at more.data')
  })

  for (const words of [[], ['--rejects'], ['--columns', 'sold_at,unit_price'], ['--resume', 'keys']]) {
    it(`takes camelCase keys for snake_case columns, and says so (${words.join(' ') || 'plain'})`, async () => {
      await database.pool.query(
        'DROP TABLE IF EXISTS sales; CREATE TABLE sales (sold_at date, unit_price numeric, batch_id int)',
      )
      const lines = '{"soldAt":"2026-01-05","unitPrice":1.50}\n{"sold_at":"2026-01-06","UnitPrice":2}\n'
      const path = await file('keys.json', lines)
      const options = words[0] === '--rejects' ? [...words, `${path}.rejects`] : words
      const { status, stderr } = await run(['load', path, '-t', 'sales', ...options], env())
      expect(status, stderr).to.equal(0)
      expect(stderr).to.contain('took "unitPrice" for column "unit_price"\n')
      const { rows } = await database.pool.query(
        'SELECT sold_at::text, unit_price::text FROM sales ORDER BY 1',
      )
      expect(rows).to.deep.equal([
        { sold_at: '2026-01-05', unit_price: '1.50' },
        { sold_at: '2026-01-06', unit_price: '2' },
      ])
      const shown = await run(['load', path, '-t', 'sales', '--dry-run'], env())
      expect(shown.stdout).to.contain('"soldAt" = sold_at, "unitPrice" = unit_price')
    })
  }

  it('leaves the keys of rejected rows as they are', async () => {
    await database.pool.query(
      'DROP TABLE IF EXISTS sales; CREATE TABLE sales ("batchId" int, "rowIndex" int)',
    )
    const path = await file('keys.ndjson', '{"batchId":1,"rowIndex":"x"}\n{"batch_id":2,"row_index":3}\n')
    const rejects = `${path}.rejects`
    expect((await run(['load', path, '-t', 'sales', '--rejects', rejects], env())).status).to.equal(0)
    await writeFile(rejects, (await readFile(rejects, 'utf8')).replace('"rowIndex":"x"', '"rowIndex":"7"'))
    const again = await run(['load', rejects, '-t', 'sales', '--format', 'ndjson'], env())
    expect(again.status, again.stderr).to.equal(0)
    const { rows } = await database.pool.query('SELECT * FROM sales ORDER BY 1')
    expect(rows).to.deep.equal([
      { batchId: 1, rowIndex: 7 },
      { batchId: 2, rowIndex: 3 },
    ])
  })

  it('loads files of lines and of documents together', async () => {
    const a = await file('lines.json', `${ONE}\n`)
    const b = await file('document.json', pretty('{"id":2,"price":3}'))
    const { status, stderr } = await load(a, b)
    expect(status, stderr).to.equal(0)
    expect(await stored()).to.deep.equal([ROWS[0], [2, '3', null]])
  })

  it('makes a table of the rows at a path', async () => {
    const path = await file('make.json', `{"data":[${ONE},${TWO}]}`)
    const { status, stderr } = await run(
      ['load', path, '-t', 'made', '--create', '--infer', 'all', '--record-path', 'data'],
      env(),
    )
    expect(status, stderr).to.equal(0)
    expect((await database.pool.query('SELECT id, price::text, tags FROM made')).rows).to.have.length(2)
  })

  const mistakes: [title: string, name: string, text: string, words: string[], line: RegExp][] = [
    [
      'of CSV',
      'a.csv',
      'id\n1\n',
      ['--record-path', 'a'],
      /--record-path has no meaning for csv, which is not JSON/,
    ],
    [
      'without a key',
      'a.json',
      ONE,
      ['--record-path', 'a..b'],
      /Expected a key, or keys with dots between them/,
    ],
    ['of an empty file', 'a.json', ' \n', [], /a\.json: there is nothing in it/],
    [
      'that is cut off',
      'a.json',
      `{"data":[${ONE}`,
      ['--record-path', 'data'],
      /not valid JSON after record 1, near line 1, or cut off/,
    ],
    [
      'of lines that are none',
      'a.ndjson',
      '{\n"id":1}',
      [],
      /line 1 is not valid JSON; if it is JSON of several lines, say --format json/,
    ],
  ]
  for (const [title, name, text, words, line] of mistakes) {
    it(`says what is wrong with a path or file ${title}`, async () => {
      const { status, stderr } = await load(await file(name, text), ...words)
      expect(status).to.be.oneOf([1, 2])
      expect(stderr).to.match(line)
    })
  }
})
