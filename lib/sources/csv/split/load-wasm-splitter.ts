import { loadWasm } from '../../../wasm/load-wasm.ts'
import { type SplitterExports, WasmSplitter } from './wasm-splitter.ts'

/** Returns a splitter in WebAssembly for one file; undefined where that is not available. */
export function loadWasmSplitter(): WasmSplitter | undefined {
  const exports = loadWasm(new URL('csv-split.wasm', import.meta.url))
  return exports ? new WasmSplitter(exports as SplitterExports) : undefined
}
