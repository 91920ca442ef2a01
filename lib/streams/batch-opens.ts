/**
 * A stream of batches emits this event when a batch opens that time may close, with the milliseconds that are
 * left until then. Who writes the batches can have a connection ready. A registered symbol, because a process
 * may hold two copies of the package.
 */
export const BATCH_OPENS = Symbol.for('pg-batch-streams.batch-opens')
