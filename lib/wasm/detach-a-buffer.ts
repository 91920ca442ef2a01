/**
 * Detaches an ArrayBuffer. When a process does that for the first time, V8 compiles all code anew that reads
 * typed arrays. A memory of WebAssembly does it when it grows, which is after the first pages were read: 4 %
 * of the CPU time of a load.
 */
export function detachABuffer(): void {
  const buffer = new ArrayBuffer(1)
  structuredClone(buffer, { transfer: [buffer] })
}
