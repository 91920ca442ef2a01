import { BlockLayout } from '../../columnar/block-row.ts'
import { BlockEncoder } from '../../encode/columnar/wasm/block-encoder.ts'
import type { BlockColumns } from '../../encode/row-encoder.ts'
import { checkObject, expectOption } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'

const BLOCK_OPTIONS = Object.freeze({
  layout: required(checkLayout),
  wasm: optional(checkWasm),
})

export function checkBlocks(name: string, value: unknown): BlockColumns {
  return resolveOptions(name, BLOCK_OPTIONS, checkObject(name, value), `${name}.`)
}

function checkLayout(name: string, value: unknown): BlockLayout {
  expectOption<BlockLayout>(name, value, 'a BlockLayout', value instanceof BlockLayout)
  return value
}

function checkWasm(name: string, value: unknown): BlockEncoder {
  expectOption<BlockEncoder>(name, value, 'a BlockEncoder', value instanceof BlockEncoder)
  return value
}
