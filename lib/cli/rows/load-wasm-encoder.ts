import { BlockEncoder, type BlockEncoderExports } from '../../encode/columnar/wasm/block-encoder.ts'
import { WasmEncoder, type WasmExports } from '../../encode/csv/wasm/wasm-encoder.ts'
import { JsonEncoder, type JsonEncoderExports } from '../../encode/json/wasm/json-encoder.ts'
import { loadWasm } from '../../wasm/load-wasm.ts'

let csv: WasmEncoder | undefined
let json: JsonEncoder | undefined
let blocks: BlockEncoder | undefined

/** Returns the encoder of CSV in WebAssembly, one for the process; undefined where it is not available. */
export function loadWasmEncoder(): WasmEncoder | undefined {
  const exports = csv ?? load('csv/wasm/csv-rows.wasm')
  if (exports) csv ??= new WasmEncoder(exports as WasmExports)
  return csv
}

/** Returns the encoder of NDJSON in WebAssembly, one for the process; undefined where it is not available. */
export function loadJsonEncoder(): JsonEncoder | undefined {
  const exports = json ?? load('json/wasm/json-rows.wasm')
  if (exports) json ??= new JsonEncoder(exports as JsonEncoderExports)
  return json
}

/** Returns the encoder of blocks in WebAssembly, one for the process; undefined where it is not available. */
export function loadBlockEncoder(): BlockEncoder | undefined {
  const exports = blocks ?? load('columnar/wasm/block-rows.wasm')
  if (exports) blocks ??= new BlockEncoder(exports as BlockEncoderExports)
  return blocks
}

/** @param path the place of a module below the folder of encoders */
function load(path: string): unknown {
  const besideSource = new URL(`../../encode/${path}`, import.meta.url)
  return loadWasm(besideSource, new URL(path.slice(path.lastIndexOf('/') + 1), import.meta.url))
}
