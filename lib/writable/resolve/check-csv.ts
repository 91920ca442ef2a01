import type { CsvFormat } from '../../csv/record.ts'
import { WasmEncoder } from '../../encode/csv/wasm/wasm-encoder.ts'
import type { CsvColumns } from '../../encode/row-encoder.ts'
import { checkObject, expectOption } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import { checkColumns } from './check-table.ts'

const CSV_OPTIONS = Object.freeze({
  format: required(checkFormat),
  fields: required(checkFields),
  wasm: optional(checkWasm),
})

export function checkCsv(name: string, value: unknown): CsvColumns {
  return resolveOptions(name, CSV_OPTIONS, checkObject(name, value), `${name}.`)
}

function checkWasm(name: string, value: unknown): WasmEncoder {
  expectOption<WasmEncoder>(name, value, 'a WasmEncoder', value instanceof WasmEncoder)
  return value
}

function checkFields(name: string, value: unknown): CsvColumns['fields'] {
  const holds = Array.isArray(value) && value.every(field => field === undefined || typeof field === 'string')
  expectOption<CsvColumns['fields']>(name, value, 'an array of column names and undefined', holds)
  checkColumns(
    name,
    value.filter(field => field !== undefined),
  )
  return [...value]
}

function checkFormat(name: string, value: unknown): CsvFormat {
  const { delimiter, quote, escape: escapedBy, nulls, forceNull } = checkObject(name, value)
  for (const [key, character] of Object.entries({ delimiter, quote, escape: escapedBy })) {
    const isLeftOut = key !== 'delimiter' && character === undefined
    const holds = isLeftOut || (typeof character === 'string' && /^[\0-\x7f]$/.test(character))
    expectOption(`${name}.${key}`, character, 'a character of ASCII', holds)
  }
  const areTexts = Array.isArray(nulls) && nulls.every(text => typeof text === 'string')
  expectOption(`${name}.nulls`, nulls, 'an array of strings', areTexts)
  const isFlag = forceNull === undefined || typeof forceNull === 'boolean'
  expectOption(`${name}.forceNull`, forceNull, 'a boolean', isFlag)
  return { delimiter, quote, escape: escapedBy, nulls, ...(forceNull ? { forceNull } : {}) } as CsvFormat
}
