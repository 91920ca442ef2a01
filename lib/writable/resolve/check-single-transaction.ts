import { optionError } from '../../options/checks.ts'

/** Throws for options that need several transactions. */
export function expectSingleTransaction(options: {
  readonly afterCommit: unknown
  readonly checkpoint: unknown
  readonly concurrency: number
  readonly evolve?: { readonly widenTypes: boolean } | undefined
}): void {
  const { afterCommit, checkpoint, concurrency, evolve } = options
  if (concurrency > 1) {
    throw optionError(
      'Expected `concurrency` to be 1 with `singleTransaction`, which has one connection, ' +
        `got \`${concurrency}\``,
    )
  }
  if (evolve?.widenTypes) {
    throw optionError(
      'Expected no `evolve.widenTypes` with `singleTransaction`, whose rows are not kept to be sent again',
    )
  }
  if (checkpoint) {
    throw optionError(
      'Expected no `checkpoint` with `singleTransaction`: all rows are committed at the end, or none is',
    )
  }
  if (afterCommit) {
    throw optionError(
      "Expected no `afterCommit` with `singleTransaction`: everything is committed at 'finish', " +
        'and the items are not kept until then',
    )
  }
}
