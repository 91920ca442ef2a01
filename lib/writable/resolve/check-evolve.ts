import { checkFlag, expectOption, integerFrom, optionError, timeoutMsFrom } from '../../options/checks.ts'
import { defaultsTo, resolveOptions } from '../../options/option-table.ts'
import type { EvolvePolicy } from '../../write/plan/evolve-policy.ts'

const EVOLVE_OPTIONS = Object.freeze({
  addColumns: defaultsTo(true, checkFlag),
  widenTypes: defaultsTo(false, checkFlag),
  maxNewColumns: defaultsTo(20, integerFrom(0)),
  lockTimeoutMs: defaultsTo(2000, timeoutMsFrom(1)),
})

/** Returns undefined for `false`. */
export function checkEvolve(name: string, value: unknown): EvolvePolicy | undefined {
  if (value === false) return undefined
  const options = value === true ? {} : value
  const holds = typeof options === 'object' && options !== null && !Array.isArray(options)
  expectOption<object>(name, options, 'true, false or an object', holds)
  const policy = resolveOptions(name, EVOLVE_OPTIONS, options, `${name}.`)
  if (!policy.addColumns && !policy.widenTypes) {
    throw optionError(`Expected \`${name}.addColumns\` or \`${name}.widenTypes\`, got neither`)
  }
  return policy
}
