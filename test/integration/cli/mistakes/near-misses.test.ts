import { mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { useFolder } from '../../../support/folder.ts'
import { useDatabase } from '../../../support/servers/database.ts'
import { type Ended, run } from '../support.ts'

describe('pg-batch names what was meant', () => {
  const database = useDatabase()
  const file = useFolder()
  let folder: string

  before(async () => {
    await database.pool.query('CREATE TABLE guests (id int, name text, born date)')
    folder = dirname(await file('guests.csv', 'id,name\n1,ann\n'))
    await mkdir(join(folder, 'data'))
    await file('data/sales-2026.csv', 'id\n1\n')
  })

  const load = (words: readonly string[], input?: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
    run(['load', ...words], { DATABASE_URL: database.connectionString, ...env }, input)

  const said = async (words: readonly string[], input?: string) => {
    const { status, stderr } = await load([...words, '-t', 'guests'], input)
    expect(status, stderr).to.be.above(0)
    return stderr
  }

  describe('by the name of a command', () => {
    for (const words of [['help', 'laod'], ['laod', '--help'], ['laod']]) {
      it(words.join(' '), async () => {
        expect(await run(words)).to.deep.equal({
          status: 2,
          stdout: '',
          stderr: "pg-batch: unknown command 'laod' (Did you mean load?)\n",
        })
      })
    }
  })

  describe('by the name of a file that does not exist', () => {
    const names: [name: string, hint: (folder: string) => string][] = [
      ['gests.csv', folder => `did you mean ${folder}/guests.csv?`],
      ['guests.CSV', folder => `did you mean ${folder}/guests.csv?`],
      ['guests', folder => `did you mean ${folder}/guests.csv?`],
      ['nothing.ndjson', folder => `the folder is ${folder}`],
      ['dat/sales.csv', folder => `there is no folder ${folder}/dat; did you mean ${folder}/data?`],
      ['data/sales-2025.csv', folder => `did you mean ${folder}/data/sales-2026.csv?`],
    ]
    for (const [name, hint] of names) {
      it(name, async () => {
        const path = join(folder, name)
        expect(await said([path])).to.equal(`pg-batch: ${path}: no such file; ${hint(folder)}\n`)
      })
    }

    it('or by a link that leads nowhere', async () => {
      const path = join(folder, 'data/link.csv')
      await symlink('nothing', path)
      const text = await said([path])
      await rm(path)
      expect(text).to.contain('link.csv: no such file; it is a link, and what it leads to does not exist')
    })

    it('and by a pattern that no file matches', async () => {
      expect(await said([`${folder}/data/*.cvs`])).to.equal(
        `pg-batch: ${folder}/data/*.cvs: no file matches; ${folder}/data has sales-2026.csv\n`,
      )
      expect(await said([`${folder}/dta/*.csv`])).to.contain(`there is no folder ${folder}/dta/\n`)
    })

    for (const word of ['a+b', 'a\\+b', 'you!', '@home', 'x \\(old\\)']) {
      it(`in the folder ${word}`, async () => {
        const name = word.replaceAll('\\', '')
        await mkdir(join(folder, name), { recursive: true })
        await file(`${name}/rows.csv`, 'id\n1\n')
        const hint = `; ${folder}/${name} has rows.csv\n`
        expect(await said([`${folder}/${word}/*.cvs`])).to.contain(hint)
      })
    }

    it('and by a pattern with several folders', async () => {
      expect(await said([`${folder}/data/{a,b/c}/*.csv`])).to.contain(`; ${folder}/data has sales-2026.csv\n`)
    })
  })

  describe('by the wrong delimiter', () => {
    const files: [input: string, asked: readonly string[], cure: string][] = [
      ['id;name\n1;a,b\n', ['--delimiter', ','], "semicolons between names: --delimiter ';'"],
      ['id,name\n1,a\n', ['--delimiter', 'comma'], "commas between names: --delimiter ','"],
      ['id,name\n1,a\n', ['--format', 'tsv'], "commas between names: --delimiter ','"],
      ['id:name\n1:a\n', [], `":" between names: --delimiter ':'`],
      ['Id || Name || Zip\n1 || a || 2\n', ['--delimiter', ','], `" || " between names: --delimiter ' || '`],
    ]
    for (const [input, asked, cure] of files) {
      it(JSON.stringify(input), async () => {
        const text = await said(['-', ...asked], input)
        expect(text).to.contain(`which is not a column of guests; it seems to have ${cure}\n`)
      })
    }

    it('but not by a name with a space that no column has', async () => {
      expect(await said(['-'], 'zip code\n1\n')).to.contain("--map 'zip code=COLUMN'")
    })

    it('with --create, which makes a table of one column, and prints so', async () => {
      const { status, stderr } = await load(
        ['-', '-t', 'made', '--create', '--delimiter', ';'],
        'id,name\n1,a\n',
      )
      expect(status, stderr).to.equal(0)
      expect(stderr).to.contain('standard input: one column: semicolons separate nothing in it\n')
    })
  })

  describe('by a text for no value', () => {
    for (const [value, word] of [
      ['NA', 'NA'],
      ['null', 'null'],
      ['\\N', "'\\N'"],
      ['0000-00-00', '0000-00-00'],
      ['-', "'-'"],
    ] as const) {
      it(value, async () => {
        const input = `id,name,born\n1,ann,${value}\n2,bob,\n`
        expect(await said(['-', '--delimiter', ','], input)).to.contain(
          `for "born" (${value.startsWith('0') ? '22008' : '22007'}); ` +
            `if it means that there is no value: --null ${word} --null ''; nothing committed\n`,
        )
        const { status, stderr } = await load(['-', '-t', 'guests', '--null', value, '--null', ''], input)
        expect(status, stderr).to.equal(0)
      })
    }

    it('and no other value', async () => {
      const text = await said(['-', '--delimiter', ','], 'id,born\n1,secret\n')
      expect(text).to.match(/for "born" \(22007\); --rejects FILE keeps such rows/)
      expect(text).to.not.contain('secret')
    })
  })

  it('by a date that begins with the day', async () => {
    await database.pool.query('TRUNCATE guests')
    const input = 'id,born\n1,31/12/2020\n'
    expect(await said(['-'], input)).to.contain('if its dates begin with the day, set PGDATESTYLE=DMY; ')
    const { status, stderr } = await load(['-', '-t', 'guests'], input, { PGDATESTYLE: 'DMY' })
    expect(status, stderr).to.equal(0)
    const other = await load(['-', '-t', 'guests'], 'id,born\n1,12/31/2020\n', { PGDATESTYLE: 'ISO, DMY' })
    expect(other.stderr).to.match(/\(22008\); --rejects FILE keeps/)
    expect((await database.pool.query('SELECT born::text FROM guests')).rows).to.deep.equal([
      { born: '2020-12-31' },
    ])
  })
})
