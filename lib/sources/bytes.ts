import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
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
  const raw = file === '-' ? stdin : (await openFile(file)).createReadStream()
  onOpen?.(raw)
  const { head, whole } = await peek(raw, showsPacking)
  return unpack(whole, head, nameOf(file))
}

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

/**
 * Reads until `enough`, or to the end; `whole` starts from the first byte again. The bytes are put back, rather
 * than yielded by a generator, because a generator that waits for a silent pipe cannot be destroyed.
 */
export function peek(
  source: Readable,
  enough: (head: Buffer) => boolean,
): Promise<{ head: Buffer; whole: Readable }> {
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0)
    const onReadable = () => {
      for (let chunk = source.read(); chunk !== null; chunk = source.read()) {
        head = Buffer.concat([head, chunk as Buffer])
        if (!enough(head)) continue
        settle()
        source.unshift(head)
        resolve({ head, whole: source })
        return
      }
    }
    const onEnd = () => {
      settle()
      resolve({ head, whole: Readable.from(head.length > 0 ? [head] : [], { objectMode: false }) })
    }
    const onError = (error: Error) => {
      settle()
      reject(error)
    }
    const settle = () => source.off('readable', onReadable).off('end', onEnd).off('error', onError)
    // between this and the next reader an error may come; it is kept, and told to whoever reads
    source.on('error', () => {})
    source.on('readable', onReadable).on('end', onEnd).on('error', onError)
  })
}
