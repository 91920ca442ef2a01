import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'

/** Devices, and what a shell makes of `>(…)`: their names are links that the system has made. */
const SYSTEM_LINK = /^\/dev\/(?:fd\/)?[^/]+$|^\/proc\/[^/]+\/fd\/\d+$/

/** Returns true for a path whose last part may be a link that is followed. */
export function mayBeLink(path: string): boolean {
  return SYSTEM_LINK.test(resolve(path))
}

/**
 * Opens a file of rejected rows to append to; only its owner can read a new one. Does not follow a symbolic
 * link: in a folder that others can write to, a link could send the rows anywhere.
 * @param access O_WRONLY or O_RDWR
 */
export function openDeadLetterFile(path: string, access: number): Promise<FileHandle> {
  // Windows has no such flag, and does not let other users make links
  const noLink = mayBeLink(path) ? 0 : (constants.O_NOFOLLOW ?? 0)
  return open(path, access | constants.O_APPEND | constants.O_CREAT | noLink, 0o600)
}
