import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)

/** Modules of this repository as plain JavaScript, for runs in which `tsx` would be measured as well. */
export interface Compiled {
  urlOf(module: URL): URL
  remove(): Promise<void>
}

/** Compiles modules, and what they import, as the package's build does. */
export async function compile(modules: readonly URL[]): Promise<Compiled> {
  // under node_modules, so that packages resolve
  const cache = join(REPOSITORY, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'bench-'))
  const compilerOptions = { noEmit: false, rootDir: REPOSITORY, outDir: folder, types: ['node'] }
  const files = modules.map(module => fileURLToPath(module))
  const project = join(folder, 'tsconfig.json')
  await writeFile(
    project,
    JSON.stringify({ extends: join(REPOSITORY, 'tsconfig.json'), compilerOptions, files, include: [] }),
  )
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  )
  await run(process.execPath, [compiler, '-p', project], { cwd: REPOSITORY })
  return {
    urlOf(module) {
      const path = relative(REPOSITORY, fileURLToPath(module)).replace(/\.ts$/, '.js')
      return pathToFileURL(join(folder, path))
    },
    remove: () => rm(folder, { recursive: true }),
  }
}
