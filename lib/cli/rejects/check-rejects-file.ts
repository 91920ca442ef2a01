import { constants } from 'node:fs'
import { access, lstat, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { shellWord } from '../../sources/shell-word.ts'
import { mayBeLink } from '../../write/rejects/open-dead-letter-file.ts'
import { usageError } from '../exit-error.ts'
import { fileKey } from '../files/same-file.ts'

/** Refuses a file that cannot be written before the load begins, not at its first bad row. */
export async function checkRejectsFile(path: string, inputs: readonly string[]): Promise<void> {
  // a pattern finds the file as well, once it exists
  const key = await fileKey(path)
  for (const input of inputs) {
    if (resolve(input) !== resolve(path) && (key === undefined || key !== (await fileKey(input)))) continue
    throw usageError('--rejects names the file that is read; name another one')
  }
  const link = await lstat(path).catch(() => undefined)
  if (link?.isSymbolicLink() && !mayBeLink(path)) {
    throw usageError(`${path}: is a symbolic link, which is not followed; name the file that it leads to`)
  }
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory()) throw usageError(`${path}: is a directory, not a file`)
  // the user's shell has opened what is at such a link of the system
  if (existing?.isFile() && !mayBeLink(path) && process.platform !== 'win32')
    checkPrivate(path, existing.mode)
  const mode = existing ? constants.W_OK : constants.W_OK | constants.X_OK
  await access(existing ? path : dirname(path), mode).catch(error => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw usageError(`${path}: ${missing ? 'there is no such directory' : 'permission denied'}`, error)
  })
}

/** Readable or writable for the group or for all users. */
const FOR_OTHERS = 0o066

function checkPrivate(path: string, mode: number): void {
  if ((mode & FOR_OTHERS) === 0) return
  const octal = (mode & 0o777).toString(8)
  throw usageError(
    `${path}: other users can read or change it (mode ${octal}), and rejected rows hold data: ` +
      `chmod 600 ${shellWord(path)}`,
  )
}
