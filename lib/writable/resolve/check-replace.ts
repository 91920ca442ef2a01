import { expectOption, integerFrom, optionError } from '../../options/checks.ts'
import { defaultsTo, resolveOptions } from '../../options/option-table.ts'

const REPLACE_OPTIONS = Object.freeze({ minRows: defaultsTo(1, integerFrom(0)) })

/** Returns how many rows a replacement has at least; undefined without one. */
export function checkReplace(name: string, value: unknown): { readonly minRows: number } | undefined {
  if (value === false) return undefined
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  expectOption<true | object>(name, value, 'true, false or an object', value === true || isObject)
  const options = value === true ? {} : value
  return resolveOptions(name, REPLACE_OPTIONS, options, `${name}.`)
}

/** Throws for options that say what to do with rows that are in the table, or that need them there. */
export function expectReplacement(options: {
  readonly singleTransaction: boolean | undefined
  readonly onConflict: unknown
  readonly inTransaction: unknown
}): void {
  const { singleTransaction, onConflict, inTransaction } = options
  if (singleTransaction === false) {
    throw optionError('Expected no `singleTransaction: false` with `replace`, which is a single transaction')
  }
  if (onConflict) {
    throw optionError(
      'Expected no `onConflict` with `replace`: rows are compared by the primary key, ' +
        'and a key that comes twice is an error',
    )
  }
  if (inTransaction) {
    throw optionError(
      'Expected no `inTransaction` with `replace`, whose rows are in the table only at its end',
    )
  }
}
