/** What an instance of WebAssembly lacks, to continue the name of what needs one. */
export const OUT_OF_ADDRESS_SPACE =
  'cannot be unpacked: WebAssembly gets no memory; raise the limit of the address space (ulimit -v)'

/** Returns true where an instance of WebAssembly reserves more of the address space than a limit leaves. */
export function isOutOfAddressSpace(error: unknown): boolean {
  return error instanceof RangeError && /^WebAssembly.*allocate/.test(error.message)
}
