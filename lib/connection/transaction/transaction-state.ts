/**
 * How far a transaction has come, which decides what an error means for its rows.
 *
 * The server rolls back a transaction whose connection breaks in `open`. If it breaks in `committing`, the
 * state stays: the outcome is open, and the transaction's ticket says how to ask for it. `lost`: something
 * other than `commit` and `rollback` has ended the transaction, and the server cannot say how.
 */
export type TransactionState = 'fresh' | 'open' | 'committing' | 'committed' | 'rolled-back' | 'lost'
