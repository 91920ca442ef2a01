/** The parts of the client's answer to a fetch that are used here. */
export interface FetchedBatches {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[]
}

interface FetchedPartition {
  /**
   * The aborted transactions with messages among the records. Null or empty for an isolation level that reads
   * all.
   */
  abortedTransactions?: readonly AbortedTransaction[] | null
  readonly records?: readonly FetchedBatch[] | null
}

interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

interface FetchedBatch {
  readonly attributes: number
  readonly producerId: bigint
  readonly firstOffset: bigint
  readonly lastOffsetDelta: number
  records: readonly { readonly key?: Buffer | null }[]
}

/** Bits of a batch's attributes. https://kafka.apache.org/documentation/#recordbatch */
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** The type of a control record that aborts a transaction: the second number of its key. */
const ABORT = 0

/**
 * Removes the messages of aborted transactions from the answer to a fetch, as Kafka's own client does. These
 * are a producer's messages from the start of its aborted transaction, which the answer names, to the marker
 * that ends it. If the marker comes only with the next answer, they extend to the end of this one. The client
 * fails to remove them then, because it expects both ends in one answer.
 */
export function dropAborted(answer: FetchedBatches): void {
  for (const { partitions } of answer.responses) for (const partition of partitions) dropAbortedOf(partition)
}

function dropAbortedOf(partition: FetchedPartition): void {
  const coming = [...(partition.abortedTransactions ?? [])].sort((a, b) =>
    a.firstOffset < b.firstOffset ? -1 : 1,
  )
  const aborting = new Set<bigint>()
  for (const batch of partition.records ?? []) {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    while (coming[0] && coming[0].firstOffset <= lastOffset) aborting.add(coming.shift()!.producerId)
    if (batch.attributes & CONTROL) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) aborting.delete(batch.producerId)
    } else if (batch.attributes & TRANSACTIONAL && aborting.has(batch.producerId)) {
      batch.records = [] // the batch itself stays: the client continues after its last offset
    }
  }
  partition.abortedTransactions = [] // nothing is left for the client to remove
}
