import { expect } from 'chai'
import { run } from '../support.ts'
import { expectOneLine, useOrders } from './orders.ts'

describe('pg-batch load reports in one line, and with the right status,', () => {
  const { load } = useOrders()

  const mistakes: [title: string, words: string[], input: string, status: number, line: RegExp][] = [
    ['that a file is missing', ['missing.csv', '-t', 'orders'], '', 2, /missing\.csv: no such file/],
    ['that the table has to be named', ['-'], '', 2, /name the table, with --table/],
    [
      'what option was meant',
      ['-', '--tabel', 'orders'],
      '',
      2,
      /unknown option '--tabel' \(Did you mean --table\?\)/,
    ],
    [
      'that a number is not valid',
      ['-', '-t', 'orders', '--batch-size', '1e3'],
      '',
      2,
      /Expected a whole number/,
    ],
    [
      'that a format is not valid',
      ['-', '-t', 'orders', '--format', 'xml'],
      '',
      2,
      /Expected one of csv, tsv, text, ndjson, json, parquet\./,
    ],
    ['that a key is needed', ['-', '-t', 'orders', '--on-conflict-do', 'update'], '', 2, /needs the columns/],
    [
      'that the format cannot be recognized',
      ['-', '-t', 'orders'],
      'id\0\n',
      2,
      /cannot recognize the format/,
    ],
    ['that there is nothing', ['-', '-t', 'orders'], ' \n', 1, /input: there is nothing in it\n/],
    ['that there is not even a header', ['-', '-t', 'orders', '-f', 'csv'], '', 1, /nothing in it, not even/],
    [
      'that there is no JSON',
      ['-', '-t', 'orders', '-f', 'json'],
      'id',
      1,
      /expected JSON: an array of objects/,
    ],
    [
      'what table was meant',
      ['-', '-t', 'Order'],
      'id\n1\n',
      1,
      /the table "Order" does not exist .*; did you mean "orders"\?/,
    ],
    [
      'which name is not a column, and which columns there are',
      ['-', '-t', 'orders'],
      'id,Totl\n1,2\n',
      1,
      /the header names "Totl", which is not a column of orders; its columns are: id, note, total, .*; did you mean "total"\?; --map Totl=total loads it into a column, --columns id leaves it out\n/,
    ],
    [
      'which of --columns is not a column',
      ['-', '-t', 'orders', '-c', 'id,nope'],
      'id\n1\n',
      1,
      /--columns names "nope", which is not a column of orders; its columns are: id, note/,
    ],
    [
      'which of --columns the file lacks',
      ['-', '-t', 'orders', '-c', 'id,note'],
      'id\n1\n',
      1,
      /--columns names "note", which is not in standard input, whose header has: id/,
    ],
    ['which key is not a column', ['-', '-t', 'orders'], '{"id":1,"extra":"secret"}', 1, /row 1.*"extra"/],
    [
      'which value the server refuses',
      ['-', '-t', 'orders', '--batch-size', '2'],
      'id,total\n1,1\n2,2\n3,3\n4,secret\n',
      1,
      /row 4 \(line 5\): not a valid numeric for "total" \(22P02\); --rejects FILE .*; \w+( rows)? committed/,
    ],
    [
      'which NOT NULL is broken',
      ['-', '-t', 'orders'],
      'id,note\n1,secret\n,secret\n',
      1,
      /row 2 \(line 3\): .*"id"/,
    ],
    [
      'which record is ragged',
      ['-', '-t', 'orders'],
      'id,note\n1,a\nsecret\n',
      1,
      /begins on line 3 has 1 field/,
    ],
    [
      'which line is not JSON',
      ['-', '-t', 'orders'],
      '{"id":1}\n{"id":secret}\n',
      1,
      /line 2 is not valid JSON/,
    ],
  ]
  for (const [title, words, input, status, line] of mistakes) {
    it(title, async () => {
      const ended = await load(words, input)
      expect(ended.stderr).to.match(line)
      expectOneLine(ended.stderr)
      expect(ended).to.include({ status, stdout: '' })
    })
  }

  it('that the database cannot be reached, without its password', async () => {
    const url = 'postgres://me:secret@127.0.0.1:1/shop'
    const ended = await run(['load', '-', '-t', 'orders', '-d', url], {}, 'id\n1\n')
    expect(ended).to.include({ status: 1, stdout: '' })
    expect(ended.stderr).to.match(/ECONNREFUSED/)
    expectOneLine(ended.stderr)
  })

  it('that a text is not a URL, without repeating it', async () => {
    const ended = await run(['load', '-', '-t', 'orders', '-d', 'secret'], {}, 'id\n1\n')
    expect(ended.status).to.equal(2)
    expectOneLine(ended.stderr)
  })
})
