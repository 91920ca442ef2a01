import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isJson } from '../../values/is-json.ts'
import { openDeadLetterFile } from './open-dead-letter-file.ts'

/** A line of JSON, and the id with which it begins: `{"id":"…"`. */
export interface IdentifiedLine {
  readonly id: string
  /** Without the line end. */
  readonly text: string
}

/** Where lines are stored until they are in the file. */
export interface LineStore {
  /** Removes the lines with these ids, if they are still stored: the file has them. */
  remove(ids: readonly string[]): Promise<unknown>
  /** Called right before the file is changed. @throws if another writer may append the same lines */
  check(): void
}

/**
 * A file of lines. Each line is stored elsewhere before it is appended, and removed there once it is on disk.
 * If the process is killed in between, the line is in both: the next process recognizes it by its id, and
 * cuts off an unfinished line.
 */
export class DurableLines {
  readonly path: string
  /** The beginning of the file in which no line is stored elsewhere any more. Other writers append, too. */
  #settled: Beginning = NOTHING
  #written: Beginning = NOTHING

  constructor(path: string) {
    this.path = path
  }

  /**
   * Appends the lines that are not in the file yet; resolves when they are on disk. Has the store remove all
   * others that are in the file. Only the owner can read the file.
   */
  async append(lines: readonly IdentifiedLine[], store: LineStore): Promise<void> {
    const file = await openDeadLetterFile(this.path, constants.O_RDWR)
    try {
      const stat = await file.stat()
      const known = stat.isFile() ? await this.#recover(file, lines, store) : new Set()
      const text = lines
        .filter(({ id }) => !known.has(id))
        .map(line => `${line.text}\n`)
        .join('')
      store.check()
      await file.appendFile(text)
      if (!stat.isFile()) return
      await file.sync()
      if (stat.size === 0) await syncFolder(this.path)
      this.#written = await beginningUpTo(file, (await file.stat()).size)
    } finally {
      await file.close()
    }
  }

  /** Notes that none of the lines of the last `append` are stored elsewhere any more. */
  settle(): void {
    this.#settled = this.#written
  }

  /** Makes the file end with a whole line. Returns the ids of those lines that are already in it. */
  async #recover(file: FileHandle, lines: readonly IdentifiedLine[], store: LineStore): Promise<Set<string>> {
    const start = (await beginsWith(file, this.#settled)) ? this.#settled.length : 0
    await repairEnd(file, start, store)
    const appended = new Set(lines.map(({ id }) => id))
    const known = new Set<string>()
    for await (const ids of idsFrom(file, start)) {
      for (const id of ids) if (appended.has(id)) known.add(id)
      const others = ids.filter(id => !appended.has(id))
      if (others.length > 0) await store.remove(others)
    }
    return known
  }
}

/** The first bytes of a file, known by their number and by the last ones of them. */
interface Beginning {
  readonly length: number
  readonly end: Buffer
}

const NOTHING: Beginning = { length: 0, end: Buffer.alloc(0) }

/** Holds the random ids of several lines. If an editor moves or changes lines, it is another text. */
const END_BYTES = 16 * 1024

async function beginningUpTo(file: FileHandle, length: number): Promise<Beginning> {
  const start = Math.max(0, length - END_BYTES)
  return { length, end: await readAt(file, start, length - start) }
}

async function beginsWith(file: FileHandle, { length, end }: Beginning): Promise<boolean> {
  return (await readAt(file, length - end.length, end.length)).equals(end)
}

const NEWLINE = 0x0a

/** The beginning of each line that this class writes. */
const BEGINNING = '{"id":"'

/**
 * Repairs a last line that has no line end. It is whole (an editor has left the line end out), or the
 * beginning of one of our lines (which comes again), or a line of another program, which is kept.
 * @param from where a line begins
 */
async function repairEnd(file: FileHandle, from: number, store: LineStore): Promise<void> {
  const { size } = await file.stat()
  const start = await lastLineStart(file, from, size)
  if (start === size) return
  // after a power failure there may be NULs where bytes had not reached the disk
  const rest = (await readAt(file, start, size - start)).toString().replace(/\0+$/, '')
  const isOurs = rest.startsWith(BEGINNING) || BEGINNING.startsWith(rest)
  store.check()
  if (isOurs && !isJson(rest)) await file.truncate(start)
  else await file.appendFile('\n')
}

/** Returns the offset of the first byte after the last line end. A line begins at `from`. */
async function lastLineStart(file: FileHandle, from: number, size: number): Promise<number> {
  for (let end = size; end > from; ) {
    const start = Math.max(from, end - BLOCK_BYTES)
    const at = (await readAt(file, start, end - start)).lastIndexOf(NEWLINE)
    if (at >= 0) return start + at + 1
    end = start
  }
  return from
}

const BLOCK_BYTES = 256 * 1024
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const ID_LENGTH = 36

/** Yields the ids that occur in a file from an offset on, those of a block at once. */
async function* idsFrom(file: FileHandle, offset: number): AsyncGenerator<string[], void> {
  const { size } = await file.stat()
  for (let at = offset; at < size; at += BLOCK_BYTES) {
    // an id may cross the end of a block
    const length = Math.min(BLOCK_BYTES + ID_LENGTH, size - at)
    const text = (await readAt(file, at, length)).toString('latin1')
    yield text.match(ID) ?? []
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/**
 * Syncs the folder, so that a new file's name is on disk. Where folders cannot be synced, the system does
 * that.
 */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path), 'r')
    await folder.sync().finally(() => folder.close())
  } catch {}
}
