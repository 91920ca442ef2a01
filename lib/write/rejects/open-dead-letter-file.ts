import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'

/** Devices, and what a shell makes of `>(…)`, have names that are links of the system's own. */
const SYSTEM_LINK = /^\/dev\/(?:fd\/)?[^/]+$|^\/proc\/[^/]+\/fd\/\d+$/

/** True for a path whose last part may be a link that is followed. */
export function mayBeLink(path: string): boolean {
  return SYSTEM_LINK.test(resolve(path))
}

/**
 * Opens a file of rejected rows to append to; a new one is its owner's alone. A symbolic link is not followed: in a
 * folder that others can write to, it would lead the rows, or the damage, to wherever its maker likes.
 * @param access O_WRONLY or O_RDWR
 */
export function openDeadLetterFile(path: string, access: number): Promise<FileHandle> {
  // Windows has no such flag, and lets no other user make links
  const noLink = mayBeLink(path) ? 0 : (constants.O_NOFOLLOW ?? 0)
  return open(path, access | constants.O_APPEND | constants.O_CREAT | noLink, 0o600)
}
