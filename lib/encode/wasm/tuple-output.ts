import type { ByteBuffer } from '../wire/byte-buffer.ts'
import type { Exported } from './module.ts'

/** What a module exports that writes tuples where its caller says. */
export interface TupleExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly OUTPUT: Exported
  readonly OUTPUT_BYTES: Exported
  readonly SLABS: Exported
  readonly SLAB_BYTES: Exported
  /** How many bytes the module has written. */
  readonly written: Exported
}

/** The memory of a module that tuples are written to. */
export class TupleOutput {
  readonly #memory: Buffer
  readonly #output: Buffer
  readonly #written: Exported
  /** Memory that nothing has taken yet. */
  #slabs: Buffer

  constructor({ memory, OUTPUT, OUTPUT_BYTES, SLABS, SLAB_BYTES, written }: TupleExports) {
    // the memory never grows, so that these views stay valid
    this.#memory = Buffer.from(memory.buffer)
    this.#output = this.#part(OUTPUT, OUTPUT_BYTES)
    this.#slabs = this.#part(SLABS, SLAB_BYTES)
    this.#written = written
  }

  /**
   * Returns memory into which the module encodes without a copy, for the one caller that asks first; nothing
   * for the others.
   */
  takeSlabs(slabBytes: number): Buffer[] {
    const slabs: Buffer[] = []
    for (let end = slabBytes; end <= this.#slabs.length; end += slabBytes) {
      slabs.push(this.#slabs.subarray(end - slabBytes, end))
    }
    this.#slabs = Buffer.alloc(0)
    return slabs
  }

  /**
   * Appends tuples: in place, if `out` is memory of the module and has room, and otherwise by a copy.
   * @param encode writes from one address up to another, and returns how many tuples
   * @returns how many tuples were appended
   */
  append(out: ByteBuffer, encode: (address: number, end: number) => number): number {
    return this.#appendInPlace(out, encode) || this.#appendCopy(out, encode)
  }

  #appendInPlace(out: ByteBuffer, encode: (address: number, end: number) => number): number {
    if (out.bytes.buffer !== this.#memory.buffer) return 0
    const { byteOffset, length } = out.bytes
    const encoded = encode(byteOffset + out.length, byteOffset + length)
    out.length += this.#written.value
    return encoded
  }

  #appendCopy(out: ByteBuffer, encode: (address: number, end: number) => number): number {
    const { byteOffset, length } = this.#output
    const encoded = encode(byteOffset, byteOffset + length)
    out.putBytes(this.#output.subarray(0, this.#written.value))
    return encoded
  }

  #part({ value: at }: Exported, { value: length }: Exported): Buffer {
    return this.#memory.subarray(at, at + length)
  }
}
