import type { FieldCodec } from '../../encode/codecs/codec.ts'
import type { OwnCodecs } from '../../encode/codecs/own-codec.ts'
import { PgBatchError } from '../../errors.ts'
import { quoteTable, type TableParts } from '../../table/identifier.ts'
import type { Table } from '../../types.ts'
import type { NamedCodec } from './write-request.ts'

/**
 * Returns the caller's codecs by the OIDs that the catalogue has for their types.
 * @param table undefined where there is no catalogue (pg-mem)
 * @throws PgBatchError for a name that is not a type's, and for a second name of a type
 */
export function ownCodecs(codecs: readonly NamedCodec[], table: Table | undefined): OwnCodecs {
  const own = new Map<number, FieldCodec>()
  for (const [index, { type, codec }] of codecs.entries()) {
    const oid = table?.namedTypes?.[index] ?? undefined
    if (!table) throw refused(type, 'for which this database has no catalog: leave it out')
    if (oid === undefined)
      throw refused(type, "which does not exist: write its name in pg_type, such as 'pg_catalog.int4'")
    if (own.has(oid)) throw refused(type, 'which another key names, too: leave one of them out')
    own.set(oid, codec)
  }
  return own
}

function refused(type: TableParts, why: string): PgBatchError {
  const reason = `\`codecs\` names the type ${quoteTable(type)}, ${why}`
  return new PgBatchError('REFUSED', reason, { outcome: 'not-sent' })
}
