import { type Check, checkKnownKeys } from './checks.ts'

/** One row of a table of options: the default, and beside it the check of what the caller gives. */
export interface Option<Checked> {
  /** The value of an option that is left out, or undefined. It is not checked. */
  readonly fallback: Checked | undefined
  /** The check also meets the `undefined` of an option that is left out. */
  readonly isRequired: boolean
  /** The option is this package's own, so that no message names it. */
  readonly isInternal: boolean
  readonly check: Check<Checked>
}

/** A function's or an option's options by name, each with its default and its check. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>

/** The type of the options that `resolveOptions` returns for a table. */
export type Resolved<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Checked> ? Checked : never
}

/** An option without a default, which has to be given. */
export function required<Checked>(check: Check<Checked>): Option<Checked> {
  return { fallback: undefined, isRequired: true, isInternal: false, check }
}

/** An option that stays undefined where it is not given. */
export function optional<Checked>(check: Check<Checked>): Option<Checked | undefined> {
  return { fallback: undefined, isRequired: false, isInternal: false, check }
}

/** An option with a default. */
export function defaultsTo<Checked>(fallback: Checked, check: Check<Checked>): Option<Checked> {
  return { fallback, isRequired: false, isInternal: false, check }
}

/** The same option, which no message names: one part of this package passes it to another. */
export function internal<Checked>(option: Option<Checked>): Option<Checked> {
  return { ...option, isInternal: true }
}

/** The names of the options that messages and documentation may name. */
export function publicNames(table: OptionTable): string[] {
  return Object.keys(table).filter(name => !table[name]!.isInternal)
}

/**
 * Returns every option of a table, checked, with its default where the caller gives none.
 * @param owner the function, class or option that takes these options, as messages name it
 * @param prefix comes before an option's name in messages: `retry.` for `retry.retries`
 * @throws TypeError for a name that the table does not have, and whatever a check throws
 */
export function resolveOptions<Table extends OptionTable>(
  owner: string,
  table: Table,
  options: object,
  prefix = '',
): Resolved<Table> {
  const known = publicNames(table)
  const unnamed = Object.keys(table).filter(name => table[name]!.isInternal)
  checkKnownKeys(owner, options, known, unnamed)
  const resolved = Object.entries(table).map(([name, { fallback, isRequired, check }]) => {
    const value = givenOption(options, name)
    return [name, value === undefined && !isRequired ? fallback : check(`${prefix}${name}`, value)]
  })
  return Object.fromEntries(resolved) as Resolved<Table>
}

/**
 * Returns an option's value, which a class of the caller's may define. What a polluted Object.prototype has
 * under this name is not an option.
 */
export function givenOption(options: object, name: string): unknown {
  if (name in Object.prototype && !Object.hasOwn(options, name)) return undefined
  return (options as Readonly<Record<string, unknown>>)[name]
}

/**
 * Returns the defaults, overlaid with the caller's options; a key whose value is undefined counts as left
 * out.
 */
export function withDefaults<Defaults extends object>(
  defaults: Defaults,
  options: object,
): Record<keyof Defaults, unknown> {
  return {
    ...defaults,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  }
}
