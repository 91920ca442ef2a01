import type { PgType } from '../../types.ts'

/** What a column takes of JSON. The numbers are those of wasm/assembly/index.ts. */
export const TAKES = {
  /** Values of its type only. */
  values: 0,
  /** Anything, as text: what is not a string as it is written. */
  text: 1,
  /** Anything, as JSON. */
  json: 2,
} as const

export function takesOf(type: PgType): number {
  if (isJson(type)) return TAKES.json
  return isText(type) ? TAKES.text : TAKES.values
}

export function isJson(type: PgType): boolean {
  if (type.kind === 'domain' && type.base) return isJson(type.base)
  return type.builtIn && (type.name === 'json' || type.name === 'jsonb')
}

export function isText(type: PgType): boolean {
  if (type.kind === 'domain' && type.base) return isText(type.base)
  return type.name === 'citext' || (type.builtIn && TEXT_TYPES.includes(type.name))
}

const TEXT_TYPES = ['text', 'varchar', 'bpchar', 'name']
