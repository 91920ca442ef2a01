import { checkObject, checkString, expectOption, inArray, optionError } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import { parseTableName, type TableParts } from '../../table/identifier.ts'

const TABLE_PARTS = Object.freeze({ name: required(checkString), schema: optional(checkString) })

/** Returns the parts of a table's name. */
export function checkTable(name: string, value: unknown): TableParts {
  if (typeof value !== 'object') {
    const parts = parseTableName(checkString(name, value))
    const holds = parts.name !== '' && parts.schema !== ''
    expectOption(name, value, "a table's name, or a schema's, a dot and a table's", holds)
    return parts
  }
  const { schema, name: table } = resolveOptions(name, TABLE_PARTS, checkObject(name, value), `${name}.`)
  return schema === undefined ? { name: table } : { schema, name: table }
}

/** Returns a copy of an array of column names, each of which it has once. */
export function checkColumns(name: string, value: unknown): readonly string[] {
  const holds =
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(entry => typeof entry === 'string' && entry !== '')
  expectOption<string[]>(name, value, 'an array of column names that is not empty', holds, inArray(value))
  const twice = value.find((entry, index) => value.indexOf(entry) !== index)
  if (twice !== undefined)
    throw optionError(`Expected each column of \`${name}\` once, got ${JSON.stringify(twice)} twice`)
  return [...value]
}
