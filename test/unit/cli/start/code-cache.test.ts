import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'chai'

const LOADER = fileURLToPath(new URL('../../../../lib/cli/start/require-cached.ts', import.meta.url))

describe('the cache of compiled code', () => {
  let folder: string
  let cache: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-cache-'))
    cache = join(folder, 'cache', `${process.version}-${process.arch}`)
    writeFileSync(
      join(folder, 'first.cjs'),
      `exports.main = (exports, require, module, __filename) => {
        const { twice } = require('./second.cjs#numbers')
        exports.answer = () => twice(21) + require('node:path').sep + __filename
      }`,
    )
    writeFileSync(
      join(folder, 'second.cjs'),
      `exports.numbers = (exports, require) => {
        const { two } = require('./second.cjs#constants')
        exports.twice = number => two * number
      }
      exports.constants = exports => { exports.two = 2 }
      exports.unused = () => { throw new Error('this module was not asked for') }`,
    )
  })
  afterEach(() => rm(folder, { recursive: true }))

  /** Runs a process that loads the module main of first.cjs. Returns what it printed. */
  function load(after = '', cached = true): { answer: string; rejected: string[] } {
    const script = `
      import vm from 'node:vm'
      import { syncBuiltinESMExports } from 'node:module'
      const rejected = []
      const { Script } = vm
      vm.Script = class extends Script {
        constructor(source, options) {
          super(source, options)
          rejected.push(String(options.cachedData ? this.cachedDataRejected : 'none'))
        }
      }
      syncBuiltinESMExports()
      const { requireCached } = await import(${JSON.stringify(LOADER)})
      const url = ${JSON.stringify(pathToFileURL(join(folder, 'main.js')))}
      const { answer } = await requireCached('./first.cjs#main', url, ${cached ? JSON.stringify(join(folder, 'cache')) : undefined})
      console.log(JSON.stringify({ answer: answer(), rejected }))
      ${after}`
    const words = ['--import', 'tsx', '--input-type=module', '-e', script]
    return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' }))
  }

  it('loads modules, and a later process uses their compiled code', () => {
    const answer = `42/${join(folder, 'first.cjs')}`
    expect(load()).to.deep.equal({ answer, rejected: ['none', 'none'] })
    expect(readdirSync(cache).sort()).to.deep.equal(['first.cjs', 'second.cjs'])
    expect(load()).to.deep.equal({ answer, rejected: ['false', 'false'] })
  })

  it('leaves no half of a file where it cannot be kept', () => {
    for (const name of ['first.cjs', 'second.cjs']) mkdirSync(join(cache, name), { recursive: true })
    load()
    expect(readdirSync(cache).sort()).to.deep.equal(['first.cjs', 'second.cjs'])
  })

  it('keeps nothing of a process that has failed, which has not compiled all that others need', () => {
    load("process.on('exit', () => (process.exitCode = 0)); process.exitCode = 1")
    expect(load().rejected).to.deep.equal(['none', 'none'])
    expect(load().rejected).to.deep.equal(['false', 'false'])
  })

  it('keeps the code of the start, too, which V8 drops in a long run', () => {
    const file = join(cache, 'second.cjs')
    load()
    const short = readFileSync(file).length
    rmSync(cache, { recursive: true })
    // a collection drops the code then of whatever does not run
    load(`
      const { setFlagsFromString } = await import('node:v8')
      setFlagsFromString('--stress-flush-code')
      setFlagsFromString('--expose-gc')
      vm.runInNewContext('gc')()
      setFlagsFromString('--no-expose-gc')
      setFlagsFromString('--no-stress-flush-code')`)
    expect(readFileSync(file).length).to.equal(short)
    expect(load().rejected).to.deep.equal(['false', 'false'])
  })

  it('compiles again what the disk has damaged, and keeps it anew', () => {
    load()
    const file = join(cache, 'second.cjs')
    const whole = readFileSync(file)
    const damaged = Buffer.from(whole)
    damaged[whole.length - 1]! ^= 1
    writeFileSync(file, damaged)
    expect(load().rejected).to.deep.equal(['false', 'none'])
    expect(load().rejected).to.deep.equal(['false', 'false'])
    writeFileSync(file, '')
    expect(load().rejected).to.deep.equal(['false', 'none'])
  })

  it('compiles again what V8 refuses', () => {
    load()
    appendFileSync(join(folder, 'second.cjs'), '// other source')
    expect(load().rejected).to.deep.equal(['false', 'true'])
    expect(load().rejected).to.deep.equal(['false', 'false'])
  })

  it('removes what was kept over 30 days ago, of other versions of Node.js, too, when it keeps more', () => {
    const other = join(folder, 'cache', 'v20.0.0-x64')
    mkdirSync(cache, { recursive: true })
    mkdirSync(other)
    const keep = (path: string, days: number) => {
      writeFileSync(path, '')
      const seconds = Date.now() / 1000 - days * 24 * 60 * 60
      utimesSync(path, seconds, seconds)
    }
    keep(join(cache, 'old.cjs'), 31)
    keep(join(cache, 'recent.cjs'), 29)
    keep(join(other, 'old.cjs'), 31)
    load()
    expect(readdirSync(other)).to.deep.equal([])
    expect(readdirSync(cache).sort()).to.deep.equal(['first.cjs', 'recent.cjs', 'second.cjs'])
  })

  it('removes nothing else, as the data of the embedded server where both have the same home', () => {
    const data = join(folder, 'cache', 'postgresql-17')
    mkdirSync(join(data, 'base'), { recursive: true })
    writeFileSync(join(data, 'base', 'table'), '')
    for (const path of [join(data, 'base', 'table'), join(data, 'base'), data]) utimesSync(path, 1, 1)
    load()
    expect(readdirSync(cache).sort()).to.deep.equal(['first.cjs', 'second.cjs'])
    expect(readdirSync(data, { recursive: true }).sort()).to.deep.equal(['base', join('base', 'table')])
  })

  it('loads the same modules without a folder for the cache', () => {
    expect(load('', false)).to.deep.equal({ answer: `42/${join(folder, 'first.cjs')}`, rejected: [] })
    expect(readdirSync(folder).sort()).to.deep.equal(['first.cjs', 'second.cjs'])
  })

  it('does without a cache where its folder cannot be made', () => {
    writeFileSync(join(folder, 'cache'), 'a file')
    expect(load().rejected).to.deep.equal(['none', 'none'])
    expect(load().answer).to.match(/^42/)
  })
})
