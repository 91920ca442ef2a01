import { checkObject, checkString, oneOf, optionError } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import type { ConflictOption } from '../../write/plan/conflict.ts'
import { checkColumns } from './check-table.ts'

const CONFLICT_OPTIONS = Object.freeze({
  target: optional(checkTarget),
  action: required(oneOf('nothing', 'update')),
  update: optional(checkColumns),
})

const TARGET_OPTIONS = Object.freeze({ constraint: required(checkString) })

export function checkConflict(name: string, value: unknown): ConflictOption {
  const options = checkObject(name, value)
  const { target, action, update } = resolveOptions(name, CONFLICT_OPTIONS, options, `${name}.`)
  if (action === 'update' && target === undefined) {
    throw optionError(
      `Expected \`${name}.target\` with \`action: 'update'\`, got none: name the key's columns`,
    )
  }
  if (action === 'nothing' && update !== undefined) {
    throw optionError(`Expected no \`${name}.update\` with \`action: 'nothing'\`, which changes no row`)
  }
  return { action, ...(target ? { target } : {}), ...(update ? { update } : {}) }
}

function checkTarget(name: string, value: unknown): NonNullable<ConflictOption['target']> {
  if (Array.isArray(value) || typeof value === 'string') return checkColumns(name, value)
  return resolveOptions(name, TARGET_OPTIONS, checkObject(name, value), `${name}.`)
}
