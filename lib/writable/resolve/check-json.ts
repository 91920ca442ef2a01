import { JsonEncoder } from '../../encode/json/wasm/json-encoder.ts'
import type { JsonColumns } from '../../encode/row-encoder.ts'
import { checkFunction, checkObject, expectOption } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'

const JSON_OPTIONS = Object.freeze({
  columnOf: required(checkFunction<JsonColumns['columnOf']>),
  rowOf: required(checkFunction<JsonColumns['rowOf']>),
  wasm: optional(checkWasm),
})

export function checkJson(name: string, value: unknown): JsonColumns {
  return resolveOptions(name, JSON_OPTIONS, checkObject(name, value), `${name}.`)
}

function checkWasm(name: string, value: unknown): JsonEncoder {
  expectOption<JsonEncoder>(name, value, 'a JsonEncoder', value instanceof JsonEncoder)
  return value
}
