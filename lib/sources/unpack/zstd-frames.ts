/** The parts of a Zstandard file, in order. */
export type ZstdPart =
  /** A frame starts; its bytes follow. */
  | { readonly kind: 'frame' }
  /** Bytes of the frame, without its checksum. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** The frame ends. `checksum` has the low 32 bits of the content's XXH64. */
  | { readonly kind: 'end'; readonly checksum: Buffer | undefined }

/** Why the bytes are not a complete Zstandard file. The message continues `the Zstandard data`. */
export class ZstdFault extends Error {}

const MAGIC = Buffer.from('28b52ffd', 'hex')
/**
 * The last three bytes of 0x184D2A50 to 0x184D2A5F, the frames that pzstd and others write besides the data.
 */
const SKIPPABLE = Buffer.from('2a4d18', 'hex')
const MAGIC_BYTES = 4

/** Returns true for the first bytes of a frame with data, and of one to be skipped. */
export function beginsZstd(head: Buffer): boolean {
  return head.length >= MAGIC_BYTES && mayBeginZstd(head)
}

/** Returns true for the same, and for fewer than four of these bytes. */
export function mayBeginZstd(head: Buffer): boolean {
  const start = head.subarray(0, MAGIC_BYTES)
  if (MAGIC.subarray(0, start.length).equals(start)) return true
  const rest = start.subarray(1)
  return (start[0]! & 0xf0) === 0x50 && SKIPPABLE.subarray(0, rest.length).equals(rest)
}

/** The limit of a block, packed or unpacked. */
const MAX_BLOCK_BYTES = 128 * 1024

type Field = 'magic' | 'skippable size' | 'descriptor' | 'header' | 'block header' | 'checksum'

/**
 * Finds the frames of a Zstandard file, and their blocks, by their headers. It unpacks nothing. It is our own
 * code, because the decoder would not say that a file is cut off, needs a dictionary, or how large its window
 * is.
 *
 *     magic ──▶ descriptor ──▶ header ──▶ block header ──▶ block ──last──▶ checksum, if any ──▶ magic
 *       └─skippable──▶ size ──▶ skipped ──▶ magic        └──────◀──────┘
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1
 */
export class ZstdFrames {
  #state: Field | 'skipped' | 'block' = 'magic'
  /** Bytes of the state that are still to come. */
  #left = MAGIC_BYTES
  /** The bytes of the field so far. */
  #field: Buffer = Buffer.alloc(0)
  #descriptor = 0
  #isLastBlock = false

  /** @throws ZstdFault if the file ends in the middle of a frame */
  end(): void {
    if (this.#state !== 'magic' || this.#field.length > 0) throw new ZstdFault(CUT)
  }

  /** Yields the parts that the next bytes of the file complete. @throws ZstdFault */
  *cut(chunk: Buffer): Generator<ZstdPart> {
    for (let at = 0; at < chunk.length; ) {
      const bytes = chunk.subarray(at, at + this.#left)
      at += bytes.length
      this.#left -= bytes.length
      if (this.#state === 'block') yield { kind: 'bytes', bytes }
      else if (this.#state !== 'skipped') this.#field = Buffer.concat([this.#field, bytes])
      while (this.#left === 0) yield* this.#leave() // more than one: a block may be empty
    }
  }

  *#leave(): Generator<ZstdPart> {
    const field = this.#field
    this.#field = Buffer.alloc(0)
    switch (this.#state) {
      case 'magic':
        if (!beginsZstd(field)) throw new ZstdFault('is damaged')
        if (!field.equals(MAGIC)) return this.#enter('skippable size', 4)
        yield { kind: 'frame' }
        yield { kind: 'bytes', bytes: field }
        return this.#enter('descriptor', 1)
      case 'skippable size':
        return this.#enter('skipped', field.readUInt32LE())
      case 'skipped':
        return this.#enter('magic', MAGIC_BYTES)
      case 'descriptor':
        yield { kind: 'bytes', bytes: field }
        this.#descriptor = field[0]!
        return this.#enter('header', headerBytes(this.#descriptor))
      case 'header':
        // checked first, because the decoder allocates the window at once
        checkWindow(neededWindow(this.#descriptor, field))
        yield { kind: 'bytes', bytes: field }
        return this.#enter('block header', 3)
      case 'block header':
        yield { kind: 'bytes', bytes: field }
        return this.#enterBlock(field.readUIntLE(0, 3))
      case 'block':
        if (!this.#isLastBlock) return this.#enter('block header', 3)
        if (hasChecksum(this.#descriptor)) return this.#enter('checksum', 4)
        yield { kind: 'end', checksum: undefined }
        return this.#enter('magic', MAGIC_BYTES)
      case 'checksum':
        yield { kind: 'end', checksum: field }
        return this.#enter('magic', MAGIC_BYTES)
    }
  }

  #enter(state: Field | 'skipped' | 'block', bytes: number): void {
    this.#state = state
    this.#left = bytes
  }

  #enterBlock(header: number): void {
    const type = (header >> 1) & 3
    const size = header >> 3
    if (type === RESERVED_BLOCK || size > MAX_BLOCK_BYTES) throw new ZstdFault('is damaged')
    this.#isLastBlock = (header & 1) === 1
    this.#enter('block', type === RLE_BLOCK ? 1 : size) // an RLE block is one byte, repeated
  }
}

const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

export const CUT = 'ends in the middle (a truncated file?)'

function hasChecksum(descriptor: number): boolean {
  return (descriptor & 4) !== 0
}

/**
 * Bytes of the window descriptor (which a single segment does not have), the dictionary's id, the content's
 * length.
 */
function headerBytes(descriptor: number): number {
  return (isSingleSegment(descriptor) ? 0 : 1) + dictionaryBytes(descriptor) + lengthBytes(descriptor)
}

/** The limit of `zstd` without `--long`. The decoder needs this much memory. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024

function checkWindow(bytes: number): void {
  if (bytes <= MAX_WINDOW_BYTES) return
  const mib = Math.ceil(bytes / 1024 / 1024)
  throw new ZstdFault(`needs a window of ${mib} MiB, more than 128; unpack it with zstd -dc --long=31`)
}

/** @throws ZstdFault for a frame that needs a dictionary */
function neededWindow(descriptor: number, header: Buffer): number {
  const dictionaryAt = isSingleSegment(descriptor) ? 0 : 1
  const lengthAt = dictionaryAt + dictionaryBytes(descriptor)
  if (header.subarray(dictionaryAt, lengthAt).some(byte => byte !== 0)) {
    throw new ZstdFault('needs a dictionary; unpack it with zstd -D')
  }
  // a single segment is as large as its content
  return isSingleSegment(descriptor) ? contentLength(header.subarray(lengthAt)) : windowBytes(header[0]!)
}

/** @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2 */
function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0
}

function dictionaryBytes(descriptor: number): number {
  return [0, 1, 2, 4][descriptor & 3]!
}

function lengthBytes(descriptor: number): number {
  return [isSingleSegment(descriptor) ? 1 : 0, 2, 4, 8][descriptor >> 6]!
}

/** @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.4 */
function contentLength(field: Buffer): number {
  switch (field.length) {
    case 1:
      return field.readUInt8()
    case 2:
      return field.readUInt16LE() + 256
    case 4:
      return field.readUInt32LE()
    default:
      return Number(field.readBigUInt64LE()) // exact up to 8 PiB
  }
}
