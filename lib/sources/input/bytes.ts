import { Readable } from 'node:stream'
import { lookAhead } from '../../streams/look-ahead.ts'
import { showsPacking, unpack } from '../unpack/unpack.ts'
import { openRaw } from './raw-input.ts'
import type { Spool } from './spool.ts'

export interface ByteOptions {
  /** Default: the process's. */
  stdin?: Readable | undefined
  /** Gets the stream before it is unpacked, so that its bytes can be counted. */
  onOpen?: ((raw: Readable) => void) | undefined
  /** Has the bytes of what can be read only once. */
  spool?: Spool | undefined
}

/**
 * The bytes of a file, or of standard input for `-`, unpacked when they are packed, whatever the name says.
 * Rejects at once when the file cannot be opened, with the error of the file system.
 */
export async function openBytes(file: string, options: ByteOptions): Promise<Readable> {
  const { stdin = process.stdin, onOpen, spool } = options
  const spooled = spool?.open(file)
  const raw = spooled ?? (await openRaw(file, stdin))
  if (!spooled) onOpen?.(raw) // the spool has counted its bytes
  const { head, whole } = await peek(raw, showsPacking)
  return unpack(whole, head, nameOf(file))
}

/** What messages call the input. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file
}

export interface Peeked {
  readonly head: Buffer
  /** Starts from the first byte again. */
  readonly whole: Readable
  /** The head is all that there is. */
  readonly ended: boolean
}

/**
 * Reads until `enough`, or to the end.
 * @param quiet asked when nothing has come for so many milliseconds: whether the head has to do
 */
export async function peek(
  source: Readable,
  enough: (head: Buffer) => boolean,
  quiet?: { ms: number; enough: (head: Buffer) => boolean },
): Promise<Peeked> {
  let head: Buffer = Buffer.alloc(0)
  const take = () => {
    for (let chunk = source.read(); chunk !== null; chunk = source.read()) {
      head = Buffer.concat([head, chunk as Buffer])
      if (enough(head)) return true
    }
    return false
  }
  const putBack = () => source.unshift(head)
  const patience = quiet && { quietMs: quiet.ms, onQuiet: () => quiet.enough(head) }
  const ended = await lookAhead(source, take, putBack, patience)
  if (!ended) return { head, whole: source, ended }
  return { head, whole: Readable.from(head.length > 0 ? [head] : [], { objectMode: false }), ended }
}
