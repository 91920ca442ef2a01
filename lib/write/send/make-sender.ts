import type { Transaction } from '../../connection/transaction/transaction.ts'
import { ByteBuffer } from '../../encode/wire/byte-buffer.ts'
import type { SlabLease } from '../../encode/wire/slabs.ts'
import { REPLACEMENT } from '../../table/replacement-sql.ts'
import type { TablePlan } from '../plan/table-plan.ts'
import type { RowResults } from '../rows/row-results.ts'
import type { RowSender } from '../rows/row-sender.ts'
import { MergeReturningSender } from './by-row/merge-returning-sender.ts'
import { RowByRowSender } from './by-row/row-by-row-sender.ts'
import { CopySender } from './copy/copy-sender.ts'
import { InsertSender } from './insert/insert-sender.ts'
import { StagingSender } from './upsert/staging-sender.ts'
import { UpsertSender } from './upsert/upsert-sender.ts'

export interface SenderOptions {
  readonly plan: TablePlan
  readonly slabs: SlabLease
  readonly canReleaseItems: boolean
  /** Receives what each row did, where the caller wants to know it. */
  readonly results: RowResults
  /** The staging table that several upserts share, if there is one. */
  readonly staging: string | undefined
  /** The batch is sent in pieces, to find its bad rows. */
  readonly inPieces: boolean
}

/** Makes the sender for rows that go by a method. */
export function makeSender(
  method: 'copy' | 'insert',
  transaction: Transaction,
  options: SenderOptions,
): RowSender {
  const { plan } = options
  if (plan.rowResults?.by === 'row by row') return makeReturningSender(transaction, options)
  if (isUpsert(plan)) {
    return method === 'copy'
      ? new StagingSender(transaction, plan, options.staging, options.slabs)
      : new UpsertSender(transaction, plan, options.slabs)
  }
  const staging = plan.replacement && REPLACEMENT
  if (method === 'insert') {
    return new InsertSender(transaction, plan, staging && { table: staging, firstOrdinal: 0 })
  }
  const { canReleaseItems, slabs } = options
  return new CopySender(transaction, plan, { ...(staging ? { staging } : {}), canReleaseItems, slabs })
}

/** Returns false for upserts without a catalogue, which InsertSender writes. */
export function isUpsert(plan: TablePlan): boolean {
  return plan.merge !== undefined && !plan.replacement
}

/** An error of one statement for many rows names no row, so that pieces go row by row, in their own order. */
function makeReturningSender(transaction: Transaction, options: SenderOptions): RowSender {
  const { plan, results, slabs, inPieces } = options
  if (plan.rowResults?.mayMerge && !inPieces) {
    return new MergeReturningSender(transaction, plan, results, slabs)
  }
  const keys = plan.conflict && !inPieces ? new ByteBuffer(slabs) : undefined
  return new RowByRowSender(transaction, plan, results, keys)
}
