import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const lib = fileURLToPath(new URL('../../../lib/', import.meta.url))

/** One `###` section of a page of reference: an option, or an event. */
export interface Entry {
  readonly name: string
  readonly text: string
}

/** A key of an interface in a source file, with its docstring. */
export interface Key {
  readonly name: string
  readonly doc: string
}

/** Returns the source file of lib that declares an interface or a type, wherever it is. */
export function sourceOf(name: string): string {
  const declares = new RegExp(`^(?:export )?(?:interface|type) ${name}\\b`, 'm')
  const found = readSources().filter(source => declares.test(source))
  if (found.length !== 1) throw new Error(`${found.length} files of lib declare ${name}`)
  return found[0]!
}

/** Returns the text of every source file of lib. */
export function readSources(): string[] {
  const paths = readdirSync(lib, { recursive: true, encoding: 'utf8' })
  return paths.filter(path => path.endsWith('.ts')).map(path => readFileSync(`${lib}${path}`, 'utf8'))
}

/** Returns the text below a heading, up to the next one of the same level or a higher one. */
export function sectionOf(markdown: string, heading: string): string {
  const level = /^#+/.exec(heading)![0].length
  const [, text] = `\n${markdown}`.split(`\n${heading}\n`)
  if (text === undefined) throw new Error(`no heading "${heading}"`)
  return text.split(new RegExp(`\\n#{1,${level}} `))[0]!
}

/** Returns the `###` sections below a heading. */
export function entriesOf(markdown: string, heading: string): Entry[] {
  const [, ...entries] = sectionOf(markdown, heading).split('\n### ')
  return entries.map(entry => {
    const end = entry.indexOf('\n')
    return { name: entry.slice(0, end).replaceAll(/[`']/g, ''), text: entry.slice(end) }
  })
}

/** Returns the names in the first column of every table whose header begins with the cell `first`. */
export function namesOf(text: string, first: string): string[] {
  const tables = text.matchAll(/^(\|.*)\n\| --- .*\n((?:\|.*(?:\n|$))+)/gm)
  return [...tables]
    .filter(([, header]) => header!.startsWith(`| ${first} |`))
    .flatMap(([, , rows]) => rows!.trimEnd().split('\n'))
    .flatMap(row => [...row.split('|')[1]!.matchAll(/`'?(\w+)'?(?:\([\w, ]*\))?`/g)].map(([, name]) => name!))
}

/** Returns the keys of an interface of lib, with the comments above them. */
export function keysOf(name: string): Key[] {
  const source = sourceOf(name)
  const body = source.slice(source.search(new RegExp(`interface ${name}\\b`))).split('\n}')[0]!
  const keys = body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*)?^ {2}(?:readonly )?(\w+)\??:/gm)
  return [...keys].map(([, doc = '', key]) => ({ name: key!, doc }))
}

/**
 * Returns the literal that a docstring gives as the default: `1000`, `'auto'`; undefined for none, and for
 * words.
 */
export function defaultIn(doc: string): string | undefined {
  return /@default ('[^']*'|[\d_]+|Infinity)\s/.exec(doc)?.[1]
}

/** Returns every code of a PgBatchError. */
export function errorCodes(): string[] {
  return [...sourceOf('PgBatchErrorCode').matchAll(/^ {2}\| '([A-Z_]+)'$/gm)].map(([, code]) => code!)
}
