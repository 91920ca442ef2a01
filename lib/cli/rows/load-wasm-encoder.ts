import { WasmEncoder, type WasmExports } from '../../encode/csv/wasm/wasm-encoder.ts'
import { loadWasm } from '../../sources/csv/split/load-wasm.ts'

let loaded: WasmEncoder | undefined

/** Returns the encoder in WebAssembly, one for the process; undefined where that is not available. */
export function loadWasmEncoder(): WasmEncoder | undefined {
  loaded ??= load()
  return loaded
}

function load(): WasmEncoder | undefined {
  const besideSource = new URL('../../encode/csv/wasm/csv-rows.wasm', import.meta.url)
  const exports = loadWasm(besideSource, new URL('csv-rows.wasm', import.meta.url))
  return exports ? new WasmEncoder(exports as WasmExports) : undefined
}
