import { readdir, readFile } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'

/**
 * The shape of the house: which part of lib/ may import which. A part is a folder of lib/ or a file beside
 * them. `cli → {sources, kafka, batch, pg-batch-writable} → write → {encode, table, connection} → {types, errors}`;
 * whoever is above may reach past the next floor, except that batch knows nothing of PostgreSQL.
 */
const WORDS = ['types', 'errors', 'is-error']
const FLOOR = ['encode', 'table', 'connection', 'connection-string', 'csv', ...WORDS]

export const HOUSE: Readonly<Record<string, readonly string[]>> = {
  index: ['batch', 'change-events', 'pg-batch-writable', 'write', 'options', 'writable', ...FLOOR],
  cli: [
    'sources',
    'kafka',
    'batch',
    'pg-batch-writable',
    'write',
    'options',
    'writable',
    'nearest',
    'exact-json',
    'until-closed',
    ...FLOOR,
  ],
  'pg-batch-writable': ['write', 'discard', 'listener-limit', 'options', 'writable', ...FLOOR],
  writable: ['write', 'options', ...FLOOR],
  kafka: [
    'batch',
    'pg-batch-writable',
    'write',
    'options',
    'writable',
    'exact-json',
    'until-closed',
    ...FLOOR,
  ],
  batch: ['discard', 'listener-limit', 'options', ...WORDS],
  sources: ['calendar', 'csv', 'exact-json', 'json-text', 'unscaled-decimal', ...WORDS],
  'change-events': ['bytes-text', 'calendar', 'exact-json', 'unscaled-decimal', ...WORDS],
  write: ['bytes-text', 'listener-limit', ...FLOOR],
  encode: ['csv', ...WORDS],
  table: WORDS,
  connection: ['connection-string', ...WORDS],
  'connection-string': ['nearest', ...WORDS],
  csv: WORDS,
  options: ['nearest', ...WORDS],
  nearest: ['edit-distance'],
  errors: ['types'],
  types: [],
  'bytes-text': [],
  calendar: [],
  discard: ['is-error'],
  'is-error': [],
  'edit-distance': [],
  'exact-json': ['json-text'],
  'json-text': [],
  'listener-limit': [],
  'unscaled-decimal': [],
  'until-closed': [],
}

/** Source text by its path below lib/, with forward slashes. */
export type Sources = ReadonlyMap<string, string>

export async function readSources(lib: string): Promise<Sources> {
  const names = (await readdir(lib, { recursive: true })).filter(name => /\.[mc]?ts$/.test(name)).sort()
  return new Map(
    await Promise.all(
      names.map(async name => [name.split(sep).join('/'), await readFile(join(lib, name), 'utf8')] as const),
    ),
  )
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

/** Every way in which these modules break the house's rules, one line each; none: the house stands. */
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
  return [...found, ...circles(arrows)]
}

function partOf(file: string): string {
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.[mc]?ts$/, '')
}

/** Depth-first search: an arrow back to a module on the current path closes a circle. */
function circles(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      found.push(`a circle: ${[...path.slice(start), file].join(' → ')}`)
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
