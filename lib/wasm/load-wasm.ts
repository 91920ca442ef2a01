import { readFileSync } from 'node:fs'
import { isOutOfAddressSpace } from './out-of-address-space.ts'

/** `WebAssembly`, which Node's types leave to those of browsers. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Compiled modules by their place: a folder may have thousands of files, and each one needs an instance. */
const compiled = new Map<string, object | undefined>()

/**
 * Returns the exports of a new instance of a module. Undefined where WebAssembly is switched off, `npm run
 * build:wasm` has not run, or a limit (`ulimit -v`) leaves too little address space: an instance
 * reserves gigabytes of it, whatever it uses.
 * @param places where the module may be: beside its source, and beside the built command
 */
export function loadWasm(...places: URL[]): unknown {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi }
  if (!api) return undefined
  const key = places.join(' ')
  if (!compiled.has(key)) {
    const bytes = firstFile(places)
    compiled.set(key, bytes && new api.Module(bytes))
  }
  const module = compiled.get(key)
  try {
    return module && new api.Instance(module).exports
  } catch (error) {
    if (isOutOfAddressSpace(error)) return undefined
    throw error
  }
}

function firstFile(places: readonly URL[]): Uint8Array | undefined {
  for (const place of places) {
    try {
      return readFileSync(place)
    } catch {} // it is at another place
  }
  return undefined
}
