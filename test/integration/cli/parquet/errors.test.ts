import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { numbered } from '../../../support/parquet.ts'
import { run } from '../support.ts'

describe('pg-batch load reports of Parquet', () => {
  const file = useFolder()
  const cases: [title: string, words: (path: string) => string[], input: Buffer, line: RegExp][] = [
    [
      'on standard input',
      () => ['-'],
      numbered(1),
      /^pg-batch: standard input: a Parquet file is read from its end/,
    ],
    [
      'that is named so and is something else',
      path => [path, '--format', 'parquet'],
      Buffer.from('a,b\n'),
      /: it does not begin as a Parquet file does; say what it is with --format$/m,
    ],
    [
      'that is said to be something else',
      path => [path, '--format', 'csv', '--encoding', 'latin1'],
      numbered(1),
      /: it is a Parquet file, not csv; leave out --format$/m,
    ],
    [
      'whose text is described',
      path => [path, '--null', 'NA'],
      numbered(1),
      /: --null has no meaning for a Parquet file$/m,
    ],
    ...(['--lenient', '--strict-header'] as const).map((option): (typeof cases)[number] => [
      `that is read with ${option}`,
      path => [path, option],
      numbered(1),
      new RegExp(`: ${option} has no meaning for a Parquet file$`, 'm'),
    ]),
    [
      'that is not there',
      path => [join(dirname(path), 'no.parquet')],
      Buffer.alloc(0),
      /no\.parquet: no such file;/,
    ],
  ]
  for (const [title, words, input, line] of cases) {
    it(`${title} what is wrong, in one line`, async () => {
      const path = await file('input', input)
      const env = { DATABASE_URL: 'postgres://127.0.0.1:1/nobody' }
      const { status, stderr } = await run(['load', ...words(path), '-t', 't'], env, input)
      expect(stderr)
        .to.match(line)
        .and.match(/^[^\n]+\n$/)
      expect(status).to.be.oneOf([1, 2])
    })
  }
})
