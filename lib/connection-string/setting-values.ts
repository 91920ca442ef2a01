import { VARIABLES } from './parameter-names.ts'
import type { Settings } from './settings.ts'
import { ConnectionStringError } from './settings-error.ts'

/** The values of the parameters: the string's, else the variables'. An empty one counts as not given. */
export class SettingValues {
  readonly source: string
  readonly #settings: Settings
  readonly #env: Readonly<Record<string, string | undefined>>

  constructor(settings: Settings, source: string, env: Readonly<Record<string, string | undefined>>) {
    this.#settings = settings
    this.source = source
    this.#env = env
  }

  /** True when the string names it, with a value or without. */
  has(name: string): boolean {
    return this.#settings.has(name)
  }

  get(name: string): string | undefined {
    if (this.#settings.has(name)) return this.#settings.get(name) || undefined
    const variable = VARIABLES[name]
    return (variable && this.#env[variable]) || undefined
  }

  /** What to call a parameter in a message: `sslmode of DATABASE_URL`, or `PGSSLMODE`. */
  nameOf(name: string, what = name): string {
    return this.#settings.has(name) ? `${what} of ${this.source}` : (VARIABLES[name] ?? name)
  }

  /** Refuses a value that is not one of the words, an empty one in the string as well. */
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

  /** Those that are given, under other names. */
  given<Key extends string>(names: Readonly<Record<Key, string>>): Partial<Record<Key, string>> {
    const entries = Object.entries<string>(names).map(([key, name]) => [key, this.get(name)])
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Partial<
      Record<Key, string>
    >
  }
}
