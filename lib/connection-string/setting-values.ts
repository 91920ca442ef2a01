import { VARIABLES } from './parameter-names.ts'
import type { Settings } from './settings.ts'
import { ConnectionStringError } from './settings-error.ts'

/**
 * The values of the parameters, from the string or else from the variables. An empty value counts as missing.
 */
export class SettingValues {
  readonly source: string
  readonly #settings: Settings
  readonly #env: Readonly<Record<string, string | undefined>>

  constructor(settings: Settings, source: string, env: Readonly<Record<string, string | undefined>>) {
    this.#settings = settings
    this.source = source
    this.#env = env
  }

  /** Returns true if the string has the parameter, even with an empty value. */
  has(name: string): boolean {
    return this.#settings.has(name)
  }

  get(name: string): string | undefined {
    if (this.#settings.has(name)) return this.#settings.get(name) || undefined
    const variable = VARIABLES[name]
    return (variable && this.#env[variable]) || undefined
  }

  /** Returns the name of a parameter for messages: `sslmode of DATABASE_URL`, or `PGSSLMODE`. */
  nameOf(name: string, what = name): string {
    return this.#settings.has(name) ? `${what} of ${this.source}` : (VARIABLES[name] ?? name)
  }

  /**
   * Returns a value that is one of the words. @throws for any other value, and for an empty one in the string
   */
  oneOf<const Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.#settings.get(name) ?? this.get(name)
    if (value === undefined) return undefined
    if ((words as readonly string[]).includes(value)) return value as Word
    throw new ConnectionStringError(
      `Expected ${this.nameOf(name)} to be ${words.join(' or ')}, got "${value}"`,
    )
  }

  wholeNumber(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    if (/^\d{1,9}$/.test(value)) return Number(value)
    throw new ConnectionStringError(`Expected ${this.nameOf(name)} to be a whole number, got "${value}"`)
  }

  /** Returns the values that are not missing, under other names. */
  pick<Key extends string>(names: Readonly<Record<Key, string>>): Partial<Record<Key, string>> {
    const entries = Object.entries<string>(names).map(([key, name]) => [key, this.get(name)])
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Partial<
      Record<Key, string>
    >
  }
}
