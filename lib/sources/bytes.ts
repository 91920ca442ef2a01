import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { lookAhead } from './look-ahead.ts'
import { showsPacking, unpack } from './unpack.ts'

/**
 * The bytes of a file, or of standard input for `-`, unpacked when they are packed, whatever the name says.
 * Rejects at once when the file cannot be opened, with the error of the file system.
 * @param onOpen gets the stream before it is unpacked, so that its bytes can be counted
 */
export async function openBytes(
  file: string,
  stdin: Readable = process.stdin,
  onOpen?: (raw: Readable) => void,
): Promise<Readable> {
  const raw = file === '-' ? stdin : (await openFile(file)).createReadStream({ highWaterMark: CHUNK_BYTES })
  onOpen?.(raw)
  const { head, whole } = await peek(raw, showsPacking)
  return unpack(whole, head, nameOf(file))
}

/** A third of what reading costs with Node's 64 KiB; larger ones gain nothing. */
const CHUNK_BYTES = 256 * 1024

/** Opens a file for reading; with the error of the file system for what is none. */
export async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file)
  if ((await handle.stat()).isDirectory()) {
    await handle.close()
    throw Object.assign(new Error(`${file} is a directory`), { code: 'EISDIR', path: file })
  }
  return handle
}

/** What messages call the input. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file
}

/** Reads until `enough`, or to the end; `whole` starts from the first byte again. */
export async function peek(
  source: Readable,
  enough: (head: Buffer) => boolean,
): Promise<{ head: Buffer; whole: Readable }> {
  let head: Buffer = Buffer.alloc(0)
  const take = () => {
    for (let chunk = source.read(); chunk !== null; chunk = source.read()) {
      head = Buffer.concat([head, chunk as Buffer])
      if (enough(head)) return true
    }
    return false
  }
  const ended = await lookAhead(source, take, () => source.unshift(head))
  if (!ended) return { head, whole: source }
  return { head, whole: Readable.from(head.length > 0 ? [head] : [], { objectMode: false }) }
}
