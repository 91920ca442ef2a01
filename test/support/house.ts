import { readdir, readFile } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'

/**
 * The parts of lib/, and which other parts each may import. A part is a folder of lib/ or a file beside the
 * folders. Imports go down only:
 *
 *     cli → {kafka, sources, embedded} → row-writer → {batch, writable} → write → {encode, table, connection}
 *     → {values, streams, options, wasm, errors, types}
 *
 * `batch` does not know PostgreSQL.
 */
const BASE = ['errors', 'types', 'values']
const POSTGRES = ['columnar', 'connection', 'connection-string', 'csv', 'encode', 'json', 'table', ...BASE]
const STREAMS = ['batch', 'options', 'streams', 'writable', 'write', ...POSTGRES]

export const HOUSE: Readonly<Record<string, readonly string[]>> = {
  index: ['change-events', 'row-writer', ...STREAMS],
  cli: ['embedded', 'kafka', 'sources', 'wasm', ...STREAMS],
  kafka: STREAMS,
  'row-writer': ['batch', 'options', 'streams', 'writable', 'write', ...POSTGRES],
  writable: ['options', 'streams', 'write', ...POSTGRES],
  batch: ['options', 'streams', ...BASE],
  embedded: BASE,
  sources: ['columnar', 'csv', 'json', 'streams', 'wasm', ...BASE],
  'change-events': ['options', ...BASE],
  write: ['streams', ...POSTGRES],
  encode: ['columnar', 'csv', 'json', ...BASE],
  table: BASE,
  connection: ['connection-string', ...BASE],
  'connection-string': BASE,
  columnar: BASE,
  csv: BASE,
  json: BASE,
  options: BASE,
  streams: BASE,
  values: [],
  wasm: [],
  errors: ['types'],
  types: [],
}

/** Source text by its path below lib/, with forward slashes; without AssemblyScript, another language. */
export type Sources = ReadonlyMap<string, string>

export async function readSources(lib: string): Promise<Sources> {
  const names = (await readdir(lib, { recursive: true })).filter(isModule).sort()
  return new Map(
    await Promise.all(
      names.map(async name => [name.split(sep).join('/'), await readFile(join(lib, name), 'utf8')] as const),
    ),
  )
}

function isModule(name: string): boolean {
  return /\.[mc]?ts$/.test(name) && !name.split(sep).includes('assembly')
}

/** What a module imports, in order: static and dynamic imports, of types as well, and re-exports. */
export function importsOf(source: string): string[] {
  const code = withoutComments(source)
  const patterns = [
    /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"]+)\1/gm,
    /^\s*import\s*(['"])([^'"]+)\1/gm,
    /\b(?:import|require)\s*\(\s*(['"])([^'"]+)\1/g,
  ]
  return patterns
    .flatMap(pattern => [...code.matchAll(pattern)])
    .sort((a, b) => a.index - b.index)
    .map(match => match[2] ?? '')
}

function withoutComments(source: string): string {
  const stringOrComment =
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*)/g
  return source.replace(stringOrComment, (text, comment?: string) => (comment === undefined ? text : ' '))
}

/** The packages that lib/ imports by name, without Node's own. */
export function packagesOf(sources: Sources): string[] {
  const names = [...sources.values()]
    .flatMap(importsOf)
    .filter(specifier => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map(specifier => specifier.match(/^(?:@[^/]+\/)?[^/]+/)?.[0] ?? specifier)
  return [...new Set(names)].sort()
}

/** Every way in which these modules break the house's rules, one line each. */
export function violations(sources: Sources): string[] {
  const arrows = new Map<string, string[]>()
  const found: string[] = []
  for (const [file, source] of sources) {
    const targets: string[] = []
    for (const specifier of importsOf(source)) {
      if (!specifier.startsWith('.')) continue
      const target = posix.join(posix.dirname(file), specifier).replace(/\.([mc]?)js$/, '.$1ts')
      if (target.startsWith('..')) found.push(`${file} imports ${specifier}, outside lib/`)
      else if (!sources.has(target)) found.push(`${file} imports ${specifier}, which is not there`)
      else targets.push(target)
    }
    arrows.set(file, targets)
  }
  for (const [file, targets] of arrows) {
    const from = partOf(file)
    const allowed = HOUSE[from]
    if (!allowed) found.push(`${file} is in no known part of the house`)
    for (const target of targets) {
      const to = partOf(target)
      if (allowed && to !== from && !allowed.includes(to)) {
        found.push(`${file} imports ${target}: ${from} may not know ${to}`)
      }
    }
  }
  return [...found, ...circles(arrows), ...circles(betweenRooms(arrows), 'a circle of rooms')]
}

function partOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.[mc]?ts$/, '')
}

/**
 * The same arrows between rooms. A room is a folder without folders; a file beside rooms is a room of its
 * own. Modules of two rooms that import each other would be one room with a wall through it.
 */
function betweenRooms(
  arrows: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const folders = new Set([...arrows.keys()].map(file => posix.dirname(file)))
  const roomOf = (file: string): string => {
    const folder = posix.dirname(file)
    const hasRooms = folder === '.' || [...folders].some(other => other.startsWith(`${folder}/`))
    return hasRooms ? file : folder
  }
  const rooms = new Map<string, Set<string>>()
  for (const [file, targets] of arrows) {
    const from = roomOf(file)
    const into = rooms.get(from) ?? new Set()
    rooms.set(from, into)
    for (const target of targets.map(roomOf)) if (target !== from) into.add(target)
  }
  return new Map([...rooms].map(([room, targets]) => [room, [...targets]]))
}

/** Depth-first search: an arrow back to a module on the current path closes a circle. */
function circles(arrows: ReadonlyMap<string, readonly string[]>, what = 'a circle'): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      found.push(`${what}: ${[...path.slice(start), file].join(' → ')}`)
      return
    }
    if (done.has(file)) return
    path.push(file)
    for (const target of arrows.get(file) ?? []) visit(target)
    path.pop()
    done.add(file)
  }
  for (const file of arrows.keys()) visit(file)
  return found
}
