import { readFileSync } from 'node:fs'
import { WasmEncoder, type WasmExports } from '../../encode/csv/wasm/wasm-encoder.ts'

/** Where `npm run build:wasm` puts the module, and where it is beside the built command. */
const PLACES = ['../../encode/csv/wasm/csv-rows.wasm', './csv-rows.wasm']

/** `WebAssembly`, which Node's types leave to those of browsers. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

let loaded: WasmEncoder | undefined

/** Returns the encoder in WebAssembly; undefined where it is not built, or WebAssembly is switched off. */
export function loadWasmEncoder(): WasmEncoder | undefined {
  loaded ??= load()
  return loaded
}

function load(): WasmEncoder | undefined {
  const { WebAssembly: api } = globalThis as { WebAssembly?: WebAssemblyApi }
  const bytes = api && firstFile(PLACES)
  if (!bytes) return undefined
  const { exports } = new api.Instance(new api.Module(bytes))
  return new WasmEncoder(exports as WasmExports)
}

function firstFile(places: readonly string[]): Uint8Array | undefined {
  for (const place of places) {
    try {
      return readFileSync(new URL(place, import.meta.url))
    } catch {}
  }
  return undefined
}
