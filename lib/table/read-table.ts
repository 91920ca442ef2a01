import type { Column, PgType, SelfReference, Table, UniqueKey } from '../types.ts'

interface TypeRow {
  oid: number
  name: string
  sqlName: string
  builtIn: boolean
  kind: string
  base: number
  element: number
  subtype: number | null
  attributes: number[] | null
  extension: string | null
  receives: boolean
  delimiter: string
  monetaryLocale: string | null
  inUtc: boolean
  notNull: boolean
  default: string | null
}

interface ColumnRow {
  name: string
  type: number
  sqlType: string
  notNull: boolean
  default: string | null
  volatile: boolean
  flags: string
  generated: string | null
  identity: string
  mayInsert: boolean
  maySelect: boolean
  collation: string | null
}

interface KeyRow extends Omit<UniqueKey, 'constraint' | 'collations'> {
  constraint: string | null
  collations: (string | null)[]
}

/** Reads a {@link Table} from the row that `INTROSPECTION_SQL` returned. */
export function readTable({ relation }: Record<string, unknown>): Table {
  const row = JSON.parse(relation as string) as Record<string, unknown>
  const typeRows = new Map((row.types as TypeRow[] | null)?.map(type => [type.oid, type]))
  const types = new Map<number, PgType>()
  const columns = ((row.columns as ColumnRow[] | null) ?? []).map(column =>
    readColumn(column, typeRows, types, row.kind === 'v'),
  )
  const obstacle = row.copyObstacle as Table['copyObstacle'] | null
  return {
    schema: row.schema as string,
    name: row.name as string,
    kind: RELATION_KINDS[row.kind as string] ?? 'table',
    columns,
    uniqueKeys: ((row.uniqueKeys as KeyRow[] | null) ?? []).map(readKey),
    selfReferences: (row.selfReferences as SelfReference[] | null) ?? [],
    ...(obstacle ? { copyObstacle: obstacle } : {}),
    ...(row.hasRules ? { hasRules: true as const } : {}),
    conflictingIndexes: Number(row.conflictingIndexes),
    hasLateIndexes: row.hasLateIndexes as boolean,
    changesRows: row.changesRows as boolean,
    ...(row.hasInsertTriggers ? { hasInsertTriggers: true as const } : {}),
    mayStage: row.mayStage as boolean,
    ...(row.unfitSetting ? { unfitSetting: row.unfitSetting as NonNullable<Table['unfitSetting']> } : {}),
    ...(row.keepsSnapshot ? { keepsSnapshot: true as const } : {}),
    ...(row.copiesDefaults ? { copiesDefaults: true as const } : {}),
    ...(row.mergeReturns ? { mergeReturns: true as const } : {}),
    ...(row.namedTypes ? { namedTypes: row.namedTypes as NonNullable<Table['namedTypes']> } : {}),
  }
}

function readKey({ constraint, collations, ...key }: KeyRow): UniqueKey {
  return {
    ...key,
    ...(constraint === null ? {} : { constraint }),
    ...(collations.some(name => name !== null) ? { collations } : {}),
  }
}

const RELATION_KINDS: Readonly<Record<string, Table['kind']>> = {
  r: 'table',
  p: 'partitioned',
  f: 'foreign',
  v: 'view',
}

const TYPE_KINDS: Readonly<Record<string, PgType['kind']>> = {
  d: 'domain',
  e: 'enum',
  c: 'composite',
  r: 'range',
  m: 'multirange',
  p: 'pseudo',
}

function readColumn(
  row: ColumnRow,
  typeRows: Map<number, TypeRow>,
  types: Map<number, PgType>,
  inView: boolean,
): Column {
  const domains = domainChain(row.type, typeRows)
  const generated = Boolean(row.generated)
  // the default of a generated column is its expression; a domain has its own copy of its base's default
  const own = row.default || typeRows.get(row.type)?.default
  const defaultSql = own && !generated ? own : undefined
  return {
    name: row.name,
    type: readType(row.type, typeRows, types),
    sqlType: row.sqlType,
    notNull: row.notNull || domains.some(domain => domain.notNull),
    // only the table of a view knows the defaults of its columns
    hasDefault: inView || defaultSql !== undefined,
    flags: row.flags,
    generated,
    deniesInsert: !row.mayInsert,
    deniesSelect: !row.maySelect,
    identity: row.identity === 'a' ? 'always' : row.identity === 'd' ? 'by-default' : 'none',
    ...(defaultSql ? { defaultSql } : {}),
    ...(defaultSql && row.volatile ? { hasVolatileDefault: true as const } : {}),
    ...(own && generated ? { generatedSql: own } : {}),
    ...(row.collation ? { collation: row.collation } : {}),
  }
}

function domainChain(oid: number, typeRows: Map<number, TypeRow>): TypeRow[] {
  const chain: TypeRow[] = []
  for (let type = typeRows.get(oid); type?.kind === 'd'; type = typeRows.get(type.base)) chain.push(type)
  return chain
}

function readType(oid: number, typeRows: Map<number, TypeRow>, types: Map<number, PgType>): PgType {
  const known = types.get(oid)
  if (known) return known
  const row = typeRows.get(oid)!
  const { base, element, subtype, attributes, extension, monetaryLocale } = row
  const read = (part: number): PgType => readType(part, typeRows, types)
  const inUtc = row.inUtc || (base && read(base).inUtc)
  const type: PgType = {
    oid,
    name: row.name,
    sqlName: row.sqlName,
    builtIn: row.builtIn,
    kind: row.element ? 'array' : (TYPE_KINDS[row.kind] ?? 'base'),
    ...(base ? { base: read(base) } : {}),
    ...(element ? { element: read(element) } : {}),
    ...(subtype ? { subtype: read(subtype) } : {}),
    ...(attributes ? { attributes: attributes.map(read) } : {}),
    ...(extension ? { extension } : {}),
    ...(row.delimiter === ',' ? {} : { delimiter: row.delimiter }),
    ...(row.receives ? {} : { isTextOnly: true as const }),
    ...(monetaryLocale ? { monetaryLocale } : {}),
    ...(inUtc ? { inUtc } : {}),
  }
  types.set(oid, type)
  return type
}
