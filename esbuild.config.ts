import { createHash } from 'node:crypto'
import { appendFile, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CommanderError } from 'commander'
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild'
import { makeProgram } from './lib/cli/arguments/arguments.ts'

/**
 * Builds `pg-batch` into dist/cli: main.js, which starts it, and the pieces that it loads, as CommonJS,
 * because only of such modules Node.js 20 lets a program keep the compiled code. A piece has many modules, and
 * packages, too: Node.js would take longer to find and compile as many files than to run them.
 */

const repository = fileURLToPath(new URL('./', import.meta.url))

/** The parts of a load, in their order. Each is loaded while what the one before has begun takes its time. */
const PARTS = [
  'lib/cli/run.ts',
  'lib/cli/load/load.ts',
  'lib/cli/load/load-files.ts',
  'lib/cli/load/load-into-table.ts',
] as const

const WORKER = 'lib/cli/workers/write-parts.ts'

/** What users may install or not. */
const NOT_INLINED = ['pg-native']

const WASM = [
  'lib/encode/csv/wasm/csv-rows.wasm',
  'lib/sources/csv/split/csv-split.wasm',
  'lib/encode/json/wasm/json-rows.wasm',
  'lib/encode/columnar/wasm/block-rows.wasm',
  'lib/sources/parquet/pages/wasm/hybrid.wasm',
  'lib/sources/json/lines/json-lines.wasm',
]

const { values } = parseArgs({
  options: {
    outdir: { type: 'string', default: 'dist/cli' },
  },
})
const folder = resolve(repository, values.outdir)

/** Coverage needs source maps. */
const FOR_COVERAGE = Boolean(process.env.NODE_V8_COVERAGE)

const COMMON: BuildOptions = {
  absWorkingDir: repository,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // names stay as they are, so that a stack trace can be read
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  define: { 'import.meta.url': 'moduleUrl' },
  sourcemap: FOR_COVERAGE ? 'inline' : false,
  logLevel: 'warning',
}

/**
 * Gives commander a `node:child_process` that is loaded when it is used, which is never: commander starts
 * programs for subcommands of their own. To load it takes 2 of the 16 ms that `--version` takes beside Node.js.
 */
const NO_PROGRAMS: Plugin = {
  name: 'no-programs',
  setup({ onResolve, onLoad }) {
    const namespace = 'no-programs'
    onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path, namespace } : undefined,
    )
    const contents = `exports.spawn = (...words) => process.getBuiltinModule('node:child_process').spawn(...words)`
    onLoad({ filter: /./, namespace }, () => ({ contents }))
  },
}

/** Puts the functions of `node:crypto` in the place of pg's module of Web Crypto: see pg-crypto.ts. */
const NODE_CRYPTO: Plugin = {
  name: 'node-crypto',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]pg[\\/]lib[\\/]crypto[\\/]utils\.js$/ }, async () => ({
      contents: await readFile(join(repository, 'lib/cli/start/pg-crypto.ts'), 'utf8'),
      loader: 'ts',
    }))
  },
}

/** A module that has no piece's code, and so may call `import()`: see the class CodeCache. */
const IMPORT = 'import-module.cjs'

const MODULE_URL = "const moduleUrl=require('node:url').pathToFileURL(__filename).href;"

await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })
const { first, worker } = await buildPieces()
await buildStart('main', { FIRST_MODULE: first, ANSWERS: ['-v', '--version', '-h', '--help'].map(answer) })
await buildStart('load-worker', { WORKER_MODULE: worker })
// main.js, too, is CommonJS: an ES module starts later
await writeFile(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
await writeFile(join(folder, IMPORT), 'module.exports = url => import(url)\n')
for (const file of WASM) await copyFile(join(repository, file), join(folder, basename(file)))

/** Builds what starts the process or a thread, and loads a piece. */
async function buildStart(name: string, constants: Readonly<Record<string, unknown>>): Promise<void> {
  const quoted = Object.entries(constants).map(([key, value]) => [key, JSON.stringify(value)])
  await build({
    ...COMMON,
    entryPoints: [`lib/cli/${name}.ts`],
    outfile: join(folder, `${name}.js`),
    format: 'cjs',
    banner: { js: MODULE_URL },
    define: { ...COMMON.define, ...Object.fromEntries(quoted) },
  })
}

/** Returns what the command prints for a word that only asks for a text. No line of it is wrapped. */
function answer(word: string): [word: string, text: string] {
  let text = ''
  const program = makeProgram(
    { load: async () => {}, server: async () => {} },
    { print: more => (text += more) },
  )
  try {
    program.configureOutput({ getOutHelpWidth: () => 80 }).parse([word], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error // commander throws it in place of ending the process
  }
  return [word, text]
}

/**
 * Writes the pieces and the licenses of what is in them. Returns the modules that run the command, and a
 * thread of `--workers`.
 */
async function buildPieces(): Promise<{ first: string; worker: string }> {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [...PARTS, WORKER],
    outdir: folder,
    entryNames: '[name]',
    splitting: true,
    format: 'esm',
    external: NOT_INLINED,
    plugins: [NO_PROGRAMS, NODE_CRYPTO],
    metafile: true,
    write: false,
  })
  const texts = new Map(outputFiles.map(({ path, text }) => [moduleName(path), text]))
  const pieces = piecesOf(metafile.outputs)
  // with the hash in its name, a piece of another version has code of its own in the cache
  const hash = createHash('sha256').update(JSON.stringify(outputFiles.map(({ text }) => text)))
  const version = hash.digest('hex').slice(0, 8)
  const fileOf = (module: string) => `${pieces.get(module)!}-${version}.cjs`
  const idOf = (module: string) => `./${fileOf(module)}#${module}`
  for (const [module, text] of texts) {
    await appendFile(join(folder, fileOf(module)), await toCommonJs(module, text, idOf))
  }
  await writeFile(join(folder, 'LICENSES.txt'), await licensesOf(metafile))
  return { first: idOf(moduleName(PARTS[0])), worker: idOf(moduleName(WORKER)) }
}

/**
 * Returns the name of the piece that each module of esbuild's output is in: the first part that needs it. What
 * a worker needs, too, is apart; a module that is only loaded on demand is a piece.
 */
function piecesOf(outputs: Metafile['outputs']): Map<string, string> {
  const ofWorker = neededBy(WORKER, outputs)
  const pieces = new Map<string, string>()
  const put = (module: string, piece: string) => pieces.has(module) || pieces.set(module, piece)
  // coverage needs the source map of each module, which is at the end of a file
  for (const part of FOR_COVERAGE ? [] : PARTS) {
    for (const path of neededBy(part, outputs)) {
      put(moduleName(path), `${moduleName(part)}${ofWorker.has(path) ? '-shared' : ''}`)
    }
  }
  for (const path of Object.keys(outputs)) put(moduleName(path), moduleName(path))
  return pieces
}

/** Returns the modules of esbuild's output that an entry needs at once. */
function neededBy(entry: string, outputs: Metafile['outputs']): ReadonlySet<string> {
  const found = new Set(Object.keys(outputs).filter(path => outputs[path]!.entryPoint === entry))
  // the loop also visits what is added
  for (const path of found) {
    for (const next of outputs[path]!.imports) {
      if (next.kind === 'import-statement' && !next.external) found.add(next.path)
    }
  }
  return found
}

function moduleName(path: string): string {
  return basename(path).replace(/\.[jt]s$/, '')
}

/**
 * Returns a module as an export of its piece. esbuild splits only ES modules, so that each is translated on
 * its own. It is ASCII then: esbuild escapes what is not in strings, but leaves it in regular expressions.
 */
async function toCommonJs(module: string, text: string, idOf: (module: string) => string): Promise<string> {
  const parameters = 'exports, require, module, __filename, __dirname'
  const needsUrl = text.includes('moduleUrl') ? MODULE_URL : ''
  const { code } = await transform(withNames(text), {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: `exports[${JSON.stringify(module)}] = function (${parameters}) { ${needsUrl}`,
    footer: '}',
    sourcefile: `${module}.js`,
    sourcemap: FOR_COVERAGE ? 'inline' : false,
  })
  return code
    .replace(
      /\bimport\("\.\/([^"]+)\.js"\)/g,
      (_, name) => `Promise.resolve().then(()=>require("${idOf(name)}"))`,
    )
    .replace(/\brequire\("\.\/([^"]+)\.js"\)/g, (_, name) => `require("${idOf(name)}")`)
    .replace(/\bimport\(/g, `require("./${IMPORT}")(`)
    .replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Takes what a module imports of another one out of its exports once. As esbuild translates it, each use would
 * look it up there, and call a getter: 30 ns for a constant in a loop.
 */
function withNames(text: string): string {
  return text.replace(
    /\bimport\s*\{([^}]+)\}\s*from\s*("\.\/[^"]+\.js");/g,
    (_, names: string, module: string) => `const {${names.replaceAll(' as ', ':')}} = require(${module});`,
  )
}

/** Returns the names, versions and licenses of the packages that are in the pieces. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const homes = new Set(
    Object.keys(inputs).flatMap(file => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  )
  const entries: string[] = []
  for (const home of [...homes].sort()) entries.push(await licenseOf(join(repository, home)))
  return `The command pg-batch contains these packages.\n\n${entries.join('\n')}`
}

async function licenseOf(home: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'))
  const file = (await readdir(home)).find(entry => /^licen[cs]e/i.test(entry))
  const text = file === undefined ? '' : `\n${(await readFile(join(home, file), 'utf8')).trim()}\n`
  return `${'='.repeat(78)}\n${name} ${version}, license: ${license}\n${text}`
}
