import type { FieldCodec } from '../../encode/codecs/codec.ts'
import type { BlockColumns, CsvColumns, JsonColumns } from '../../encode/row-encoder.ts'
import type { TableParts } from '../../table/identifier.ts'
import type { CopyFormat, Method } from '../../types.ts'
import type { ConflictOption } from '../conflict/conflict-option.ts'
import type { EvolvePolicy } from './evolve-policy.ts'

/** A codec of the caller, and the type that it is for. */
export interface NamedCodec {
  readonly type: TableParts
  readonly codec: FieldCodec
}

/** What the user's options say about rows, checked and with defaults. */
export interface WriteRequest<Item> {
  readonly table: TableParts
  readonly columns: readonly string[] | undefined
  readonly toRow: ((item: Item) => unknown) | undefined
  readonly unknownKeys: 'error' | 'ignore'
  readonly method: Method
  readonly copyFormat: CopyFormat
  readonly onConflict: ConflictOption | undefined
  /** Set where the items are records of a CSV file. */
  readonly csv: CsvColumns | undefined
  /** Set where rows may be lines of an NDJSON file. */
  readonly json?: JsonColumns | undefined
  /** Set where the items, or what `toRow` returns, are rows of blocks. */
  readonly blocks?: BlockColumns | undefined
  /** `keep`: values for identity columns that are GENERATED ALWAYS are written, as COPY writes them. */
  readonly identity?: 'keep' | undefined
  /** The caller wants to know what each row did, and these columns of it. */
  readonly rowResults?: { readonly returning: readonly string[] } | undefined
  /** All rows are one COPY if they can be. */
  readonly singleTransaction?: boolean | undefined
  readonly codecs: readonly NamedCodec[] | undefined
  /** The rows replace all that the table has. */
  readonly replace?: object | undefined
  readonly operation: ((item: Item) => unknown) | undefined
  readonly evolve: EvolvePolicy | undefined
}
