/** What is used of the answer to a fetch, as the client reads it. */
export interface FetchedBatches {
  readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[]
}

interface FetchedPartition {
  /** The transactions that were aborted and have messages among the records; null or none for isolation that asks for all. */
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

/** The type of a control record that ends a transaction, the second number of its key. */
const ABORT = 0

/**
 * Takes the messages of aborted transactions out of the answer to a fetch, as Kafka's own client does: those of a
 * producer from where the answer says that an aborted transaction of it begins, to the marker that ends it, or to the
 * end of the answer, for the marker may only come with the next one. The client looks for both ends in one answer.
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
      batch.records = [] // the batch itself stays: by it the client knows how far it has read
    }
  }
  partition.abortedTransactions = [] // nothing is left for the client to drop
}
