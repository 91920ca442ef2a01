import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { makeFolder } from '../../values/make-folder.ts'

type Wrapper = (
  exports: unknown,
  require: unknown,
  module: { exports: unknown },
  __filename: string,
  __dirname: string,
) => void

const BEFORE = Buffer.from('(function (exports, require, module, __filename, __dirname) {\n')
const AFTER = Buffer.from('\n})')

const CHECKSUM_BYTES = 32

/** 30 days. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1000

/**
 * Loads CommonJS modules that need no others, and keeps the code that V8 made of them when the process has
 * succeeded. A file of the cache has the name of the module, which changes with the module's content. V8
 * itself refuses code of another version. The modules must not call `import()`, which Node.js 20 refuses in
 * code from a cache.
 */
export class CodeCache {
  readonly #folder: string
  readonly #loaded = new Map<string, unknown>()
  /** Modules whose code is not in the cache, by their name there. */
  readonly #compiled = new Map<string, Script>()

  /** @param folder may be missing */
  constructor(folder: string) {
    this.#folder = join(folder, `${process.version}-${process.arch}`)
    // the code of a run that failed lacks what a load needs later, and would be used from then on
    process.once('exit', status => status === 0 && this.#keepAll())
  }

  readonly require = (file: string): unknown => {
    if (this.#loaded.has(file)) return this.#loaded.get(file)
    const module = { exports: {} }
    const run = this.#compile(file).runInThisContext() as Wrapper
    run(module.exports, undefined, module, file, dirname(file))
    this.#loaded.set(file, module.exports)
    return module.exports
  }

  #compile(file: string): Script {
    const name = basename(file)
    const cachedData = readKept(join(this.#folder, name))
    // bytes are joined, not texts, since V8 would keep their pieces, too, until the heap is large enough for
    // a collection; the build writes ASCII, which is read as Latin-1 in 1 ms, and as UTF-8 in 3 ms
    const source = Buffer.concat([BEFORE, readFileSync(file), AFTER])
    const script = new Script(source.toString('latin1'), {
      filename: file,
      lineOffset: -1,
      ...(cachedData ? { cachedData } : {}),
    })
    if (!cachedData || script.cachedDataRejected) this.#keepAtEnd(name, script)
    return script
  }

  #keepAtEnd(name: string, script: Script): void {
    if (this.#compiled.size === 0) setCodeFlushing(false)
    this.#compiled.set(name, script)
  }

  /** Keeps the code now, at the end, because it has all functions that were compiled when they first ran. */
  #keepAll(): void {
    if (this.#compiled.size === 0) return
    setCodeFlushing(true)
    try {
      makeFolder(this.#folder)
      for (const [name, script] of this.#compiled) keep(join(this.#folder, name), script.createCachedData())
      removeOld(dirname(this.#folder))
    } catch {} // the next run compiles again
  }
}

/**
 * Sets whether V8 drops the code of functions that have not run for some time, as it does by default. After a
 * long load the cache would lack the code of the start then, and each later process would compile it again,
 * which takes 50 ms. Code is kept with V8's flags, so the default is set again before that.
 */
function setCodeFlushing(isOn: boolean): void {
  // a static import would load the module in each process, which takes 2 ms
  process.getBuiltinModule('node:v8').setFlagsFromString(isOn ? '--flush-bytecode' : '--no-flush-bytecode')
}

/** Another process, or thread, reads the old file or the new one, whole. */
function keep(path: string, code: Buffer): void {
  // the clock distinguishes threads of a process; the module with their numbers would take 2 ms to load
  const written = `${path}.${process.pid}.${process.hrtime.bigint()}`
  try {
    writeFileSync(written, Buffer.concat([checksumOf(code), code]), { mode: 0o600 })
    renameSync(written, path)
  } catch (error) {
    rmSync(written, { force: true }) // on a full disk each run would leave a file
    throw error
  }
}

/**
 * Removes code that was kept long ago, most of it of other versions. What is still used is kept anew. What
 * the cache does not know stays: with some settings the embedded server has its data in the same folder.
 */
function removeOld(folder: string): void {
  for (const version of readdirSync(folder).filter(name => /^v\d/.test(name))) {
    for (const name of readdirSync(join(folder, version)).filter(name => name.endsWith('.cjs'))) {
      const path = join(folder, version, name)
      if (statSync(path).mtimeMs < Date.now() - MAX_AGE_MS) rmSync(path)
    }
  }
}

/** Returns the code. Undefined if the file is missing, or damaged: V8 would run what it holds. */
function readKept(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path)
    const code = bytes.subarray(CHECKSUM_BYTES)
    return checksumOf(code).equals(bytes.subarray(0, CHECKSUM_BYTES)) ? code : undefined
  } catch {
    return undefined
  }
}

/** Returns a hash by `node:crypto`, which is loaded for passwords anyway. `node:zlib` takes 2 ms to load. */
function checksumOf(code: Buffer): Buffer {
  return createHash('sha256').update(code).digest()
}
