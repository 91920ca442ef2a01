import { expect } from 'chai'
import { type LoadArguments, makeProgram } from '../../../../lib/cli/arguments/arguments.ts'

describe('the arguments of pg-batch', () => {
  async function parse(...words: string[]): Promise<{ loaded?: LoadArguments; out: string; err: string }> {
    const seen: { loaded?: LoadArguments; out: string; err: string } = { out: '', err: '' }
    const program = makeProgram({
      load: async given => {
        seen.loaded = given
      },
      server: async () => {},
    })
    for (const command of [program, ...program.commands]) {
      command.configureOutput({ writeOut: text => (seen.out += text), writeErr: text => (seen.err += text) })
    }
    await program.parseAsync(words, { from: 'user' }).catch(() => {})
    return seen
  }

  it('are parsed into the options of load', async () => {
    const words =
      'load a.csv -t s.orders -f csv -c id,b --on-conflict id --on-conflict-do nothing --batch-size 5 --concurrency 2'
    expect((await parse(...words.split(' '), '-d', 'postgres://h/d')).loaded).to.deep.equal({
      files: ['a.csv'],
      table: 's.orders',
      format: 'csv',
      columns: ['id', 'b'],
      onConflict: ['id'],
      onConflictDo: 'nothing',
      batchSize: 5,
      concurrency: 2,
      database: 'postgres://h/d',
    })
  })

  it('accept conditions of an upsert', async () => {
    const words = 'load - -t t --on-conflict id --newer-by at --only-if-changed --update-only'
    expect((await parse(...words.split(' '))).loaded).to.deep.equal({
      files: ['-'],
      table: 't',
      onConflict: ['id'],
      newerBy: 'at',
      onlyIfChanged: true,
      updateOnly: true,
    })
  })

  it('accept the name of a constraint or an index as the key of an upsert', async () => {
    const target = async (text: string) =>
      (await parse('load', '-', '-t', 't', '--on-conflict', text)).loaded?.onConflict
    expect(await target('constraint:one, two')).to.deep.equal({ constraint: 'one, two' })
    expect(await target('index:s:a')).to.deep.equal({ index: 's:a' })
    expect(await target('index:"say ""x"""')).to.deep.equal({ index: 'say "x"' })
    expect(await target('"index:a",b')).to.deep.equal(['index:a', 'b'])
    expect(await target('index,constraint')).to.deep.equal(['index', 'constraint'])
  })

  it('accept several files', async () => {
    expect((await parse('load', 'a', '*.csv', '-t', 't')).loaded?.files).to.deep.equal(['a', '*.csv'])
  })

  it('accept the dialect of a CSV file', async () => {
    const words =
      'load - -t t --delimiter tab --quote none --comment # --null NA --null - --no-header --encoding latin1'
    expect((await parse(...words.split(' '))).loaded).to.deep.equal({
      files: ['-'],
      table: 't',
      delimiter: '\t',
      quote: 'none',
      comment: '#',
      null: ['NA', '-'],
      header: false,
      encoding: 'latin1',
    })
  })

  it('contain no defaults', async () => {
    expect((await parse('load', '-', '--table', 'orders')).loaded).to.deep.equal({
      files: ['-'],
      table: 'orders',
    })
  })

  const mistakes: [words: string, line: string][] = [
    ['load', "pg-batch: missing required argument 'file'; name it: pg-batch load FILE --table TABLE\n"],
    ['load -', 'pg-batch: name the table, with --table\n'],
    ['laod -', "pg-batch: unknown command 'laod' (Did you mean load?)\n"],
    ['load - --tabel t', "pg-batch: unknown option '--tabel' (Did you mean --table?)\n"],
    [
      'load - -t t --comment ;;',
      "pg-batch: option '--comment <char>' argument ';;' is invalid. Expected one character, or tab.\n",
    ],
    [
      'load - -t t --delimiter \\x0a',
      "pg-batch: option '--delimiter <char>' argument '\\x0a' is invalid. " +
        'Expected one or more characters, tab, or one such as \\x01.\n',
    ],
    ['load - -t t --delimiter a"b', 'pg-batch: --delimiter cannot have the quote in it; see --quote\n'],
    [
      'load - -t t --delimiter ; --quote ;',
      'pg-batch: --delimiter and --quote cannot be the same character\n',
    ],
    [
      'load - -t t --newer-by at',
      'pg-batch: --newer-by needs the columns of a unique key, with --on-conflict\n',
    ],
    [
      'load - -t t --on-conflict id --on-conflict-do nothing --only-if-changed',
      'pg-batch: --only-if-changed and --on-conflict-do nothing contradict each other\n',
    ],
    [
      'load - -t t --on-conflict id --update-only --truncate',
      'pg-batch: --update-only inserts no row, so that with --truncate the table stays empty\n',
    ],
    [
      'load - -t t --on-conflict index:',
      "pg-batch: option '--on-conflict <a,b,…>' argument 'index:' is invalid. Expected the name of an index.\n",
    ],
    [
      'load - -t t --on-conflict index:a --create',
      'pg-batch: with --create, --on-conflict names the columns of --key: there is no other unique key yet\n',
    ],
    [
      'load - -t t --on-conflict id --newer-by id',
      'pg-batch: --newer-by names a column of --on-conflict, whose values are always equal\n',
    ],
    [
      'load a -t t --decimal-separator x',
      `pg-batch: option '--decimal-separator <char>' argument 'x' is invalid. Expected "," or ".".\n`,
    ],
    [
      'load a -t t --workers 65',
      "pg-batch: option '--workers <n>' argument '65' is invalid. Expected a whole number from 1 to 64.\n",
    ],
    [
      'load a -t t --map x',
      "pg-batch: option '--map <name=column>' argument 'x' is invalid. Expected \"NAME=column\".\n",
    ],
    [
      'load a -t t --map x=b --map y=b',
      "pg-batch: option '--map <name=column>' argument 'y=b' is invalid. Two names for column \"b\".\n",
    ],
  ]
  for (const [words, line] of mistakes) {
    it(`are refused in one line: ${words}`, async () => {
      const { err, loaded } = await parse(...words.split(' '))
      expect(err).to.equal(line)
      expect(loaded).to.equal(undefined)
    })
  }

  for (const words of [
    ['--help'],
    ['load', '--help'],
    ['server', '--help'],
    ['replay', '--help'],
    ['completion', '--help'],
  ]) {
    it(`have a help that fits a screen: ${words.join(' ')}`, async () => {
      const lines = (await parse(...words)).out.trimEnd().split('\n')
      expect(lines.length).to.be.within(5, 40)
      expect(Math.max(...lines.map(line => line.length))).to.be.at.most(80)
    })
  }
})
