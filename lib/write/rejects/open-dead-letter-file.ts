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
 * link: in a folder that others can write to, a link could send the rows anywhere. A FIFO is opened to write
 * alone, and only while a process reads it: one without a reader would block the process without end, or lose
 * the rows.
 * @param access O_WRONLY or O_RDWR
 */
export async function openDeadLetterFile(path: string, access: number): Promise<FileHandle> {
  // Windows has no such flag, and does not let other users make links
  const noLink = mayBeLink(path) ? 0 : (constants.O_NOFOLLOW ?? 0)
  const append = constants.O_APPEND | constants.O_CREAT | noLink
  const probe = await openNow(path, constants.O_WRONLY | append)
  const isFile = (await probe.stat()).isFile()
  if (isFile && access === constants.O_WRONLY) return probe
  // what is written to a FIFO or a terminal then waits until there is room; the probe keeps the reader there
  return open(path, (isFile ? access : constants.O_WRONLY) | append).finally(() => probe.close())
}

/** Opens without waiting for another process. A file is not changed by the flag. */
async function openNow(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags | (constants.O_NONBLOCK ?? 0), 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    throw new Error(`${path} is a FIFO that no process reads`, { cause: error })
  }
}
