/**
 * What the encoder in WebAssembly makes of a field. Types that are rare in files have no number: a table with
 * such a column is encoded in JavaScript. The numbers are those of assembly/values.ts.
 */
export const WASM_KIND = {
  skipped: 0,
  text: 1,
  jsonb: 2,
  boolean: 3,
  int2: 4,
  int4: 5,
  int8: 6,
  float8: 7,
  numeric: 8,
  date: 9,
  timestamp: 10,
  timestamptz: 11,
  uuid: 12,
} as const

export type WasmKind = keyof typeof WASM_KIND
