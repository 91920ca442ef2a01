import { constants, createReadStream, fstatSync, open as openDescriptor, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import tty from 'node:tty'
import { promisify } from 'node:util'
import { SourceError } from '../source-error.ts'
import { FileReader } from './file-reader.ts'

/** Reading costs a third of the time that it takes with Node's 64 KiB. Larger chunks gain nothing. */
export const CHUNK_BYTES = 256 * 1024

/** Returns true if opening the file again gives the same bytes: not for a pipe or a terminal. */
export async function isRereadable(file: string): Promise<boolean> {
  if (file === '-') return false
  const status = await stat(file)
  return status.isFile() || status.isBlockDevice() || status.isDirectory() // rejected when it is opened
}

/**
 * Opens the bytes of a file, a pipe, a device, or of standard input for `-` and `/dev/stdin`. Pipes are read
 * by the event loop and not by a thread: a thread that waits for a silent pipe, or for the first writer of a
 * FIFO, cannot be interrupted, and keeps the process from ending.
 * @param stdin default: the process's
 */
export async function openRaw(file: string, stdin: Readable | undefined): Promise<Readable> {
  if (file === '-') return stdin ?? process.stdin
  const status = await stat(file)
  if (status.isFIFO() || status.isSocket() || status.isCharacterDevice()) {
    return isStandardInput(status) ? (stdin ?? process.stdin) : openOnce(file, status)
  }
  const handle = await openFile(file)
  return new FileReader({ name: file, handle, status: await handle.stat() }, CHUNK_BYTES)
}

/** Opens a file for reading. Rejects with EISDIR for a directory. */
export async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file)
  if ((await handle.stat()).isDirectory()) {
    await handle.close()
    throw Object.assign(new Error(`${file} is a directory`), { code: 'EISDIR', path: file })
  }
  return handle
}

function isStandardInput({ dev, ino }: Stats): boolean {
  try {
    const own = fstatSync(0)
    return own.dev === dev && own.ino === ino
  } catch {
    return false // standard input is closed
  }
}

async function openOnce(file: string, status: Stats): Promise<Readable> {
  if (status.isSocket()) return new Socket({ fd: inheritedSocket(file), readable: true, writable: false })
  // with O_NONBLOCK a FIFO opens at once, and the socket waits for its writers
  const flags = constants.O_RDONLY | (status.isFIFO() ? constants.O_NONBLOCK : 0)
  const fd = await promisify(openDescriptor)(file, flags)
  if (status.isFIFO()) return new Socket({ fd, readable: true, writable: false })
  if (tty.isatty(fd)) return new tty.ReadStream(fd)
  return createReadStream(file, { fd })
}

/**
 * Returns the descriptor of a socket that another program has passed on. A socket cannot be opened by its
 * path.
 */
function inheritedSocket(file: string): number {
  const descriptor = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(file)?.[1]
  if (descriptor !== undefined) return Number(descriptor)
  throw new SourceError(`${file}: it is a socket, not a file`, {
    hint: 'have a program read it, and pipe what comes to pg-batch load -',
  })
}
