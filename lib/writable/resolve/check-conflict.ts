import { inspect } from 'node:util'
import {
  checkFlag,
  checkObject,
  checkString,
  expectOption,
  oneOf,
  optionError,
} from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import type { ConflictOption } from '../../write/conflict/conflict-option.ts'
import { checkColumns } from './check-table.ts'

const CONFLICT_OPTIONS = Object.freeze({
  target: optional(checkTarget),
  action: required(oneOf('nothing', 'update')),
  mode: optional(oneOf('upsert', 'update-only')),
  update: optional(checkUpdate),
  newerBy: optional(checkString),
  onlyIfChanged: optional(checkFlag),
  where: optional(checkSql),
})

const TARGET_OPTIONS = Object.freeze({ constraint: optional(checkString), index: optional(checkString) })

/** The options that say which rows are updated, and to what. */
const OF_UPDATES = ['update', 'mode', 'newerBy', 'onlyIfChanged', 'where'] as const

export function checkConflict(name: string, value: unknown): ConflictOption {
  const checked = resolveOptions(
    name,
    CONFLICT_OPTIONS,
    checkObject(name, value, asObject(value)),
    `${name}.`,
  )
  const option = withoutUndefined(checked) as ConflictOption
  const { action, target, newerBy } = option
  if (action === 'update' && target === undefined) {
    throw optionError(
      `Expected \`${name}.target\` with \`action: 'update'\`, got none: name the key's columns`,
    )
  }
  const ofUpdates = OF_UPDATES.find(key => option[key] !== undefined)
  if (action === 'nothing' && ofUpdates) {
    throw optionError(`Expected no \`${name}.${ofUpdates}\` with \`action: 'nothing'\`, which changes no row`)
  }
  if (newerBy !== undefined && Array.isArray(target) && target.includes(newerBy)) {
    throw optionError(
      `Expected \`${name}.newerBy\` to be no column of \`${name}.target\`, whose values are always equal`,
    )
  }
  return option
}

/** Returns how to write what was given in place of an object: an action, or the columns of the key. */
function asObject(value: unknown): string | undefined {
  if (value === 'nothing') return "write `{ action: 'nothing' }`"
  const columns = typeof value === 'string' && value !== 'update' ? [value] : value
  const names = Array.isArray(columns) ? columns : ['id']
  const target = `[${names.map(name => inspect(name)).join(', ')}]`
  return `write \`{ target: ${target}, action: 'update' }\``
}

function checkTarget(name: string, value: unknown): NonNullable<ConflictOption['target']> {
  if (Array.isArray(value) || typeof value === 'string') return checkColumns(name, value)
  const { constraint, index } = resolveOptions(name, TARGET_OPTIONS, checkObject(name, value), `${name}.`)
  if (constraint !== undefined && index === undefined) return { constraint }
  if (index !== undefined && constraint === undefined) return { index }
  throw optionError(`Expected \`${name}\` to have either \`constraint\` or \`index\``)
}

/** Checks a list of columns, or the SQL of each column. */
function checkUpdate(name: string, value: unknown): NonNullable<ConflictOption['update']> {
  if (Array.isArray(value) || typeof value === 'string') return checkColumns(name, value)
  const entries = Object.entries(checkObject(name, value))
  const expected = 'an array of column names, or the SQL of each column; not empty'
  expectOption(name, value, expected, entries.length > 0)
  return Object.fromEntries(entries.map(([column, sql]) => [column, checkSql(`${name}.${column}`, sql)]))
}

function checkSql(name: string, value: unknown): string {
  const holds = typeof value === 'string' && value.trim() !== ''
  expectOption<string>(name, value, 'SQL over `stored` and `excluded`', holds)
  return value
}

function withoutUndefined(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
