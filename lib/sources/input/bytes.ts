import { Readable } from 'node:stream'
import { lookAhead } from '../../streams/look-ahead.ts'
import { packingOfName, showsPacking, unpack } from '../unpack/unpack.ts'
import { openRaw } from './raw-input.ts'
import type { Spool } from './spool.ts'

export interface ByteOptions {
  /** Default: the process's. */
  stdin?: Readable | undefined
  /** Called with the stream before it is unpacked, to count its bytes. */
  onOpen?: ((raw: Readable) => void) | undefined
  /** Keeps the bytes of inputs that can be read only once. */
  spool?: Spool | undefined
}

export interface OpenBytes {
  readonly bytes: Readable
  /** What was detected, in a line. */
  readonly note: string | undefined
}

/**
 * Opens the bytes of a file, or of standard input for `-`. Packed bytes are unpacked, whatever the name is.
 * Rejects at once with the file system's error if the file cannot be opened.
 */
export async function openBytes(file: string, options: ByteOptions): Promise<OpenBytes> {
  const { stdin, onOpen, spool } = options
  const spooled = spool?.open(file)
  const raw = spooled ?? (await openRaw(file, stdin))
  if (!spooled) onOpen?.(raw) // the spool has counted its bytes
  const { head, whole } = await peek(raw, showsPacking)
  const bytes = unpack(whole, head, nameOf(file))
  const promised = packingOfName(file)
  const isAsItIs = promised !== undefined && head.length > 0 && bytes === whole
  const note = `${file}: not packed with ${promised}, although its name says so; read as it is`
  return { bytes, note: isAsItIs ? note : undefined }
}

/** Returns the name of the input for messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file
}

export interface Peeked {
  readonly head: Buffer
  /** The stream, from the first byte on. */
  readonly whole: Readable
  /** The head is the whole input. */
  readonly ended: boolean
}

/**
 * Reads until `enough` returns true, or to the end.
 * @param quiet `enough` is asked when nothing has come for `ms` milliseconds
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
  const onQuiet = quiet && { quietMs: quiet.ms, onQuiet: () => quiet.enough(head) }
  const ended = await lookAhead(source, take, putBack, onQuiet)
  if (!ended) return { head, whole: source, ended }
  return { head, whole: Readable.from(head.length > 0 ? [head] : [], { objectMode: false }), ended }
}
