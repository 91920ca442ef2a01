import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The path of a program, also of one that Debian keeps for administrators.
 * @throws when it is not installed
 */
export function findProgram(name: string): string {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const program = folders.map(folder => join(folder, name)).find(isProgram)
  if (program) return program
  throw new Error(
    `The program \`${name}\` was not found: install it, by \`apt-get install ${name}\` on Debian`,
  )
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
