import { optionError } from '../../options/checks.ts'

/** Throws for options that need several transactions. */
export function expectSingleTransaction(options: {
  readonly afterCommit: unknown
  readonly checkpoint: unknown
  readonly concurrency: number
  readonly evolve?: { readonly widenTypes: boolean } | undefined
  readonly replace: unknown
}): void {
  const { afterCommit, checkpoint, concurrency, evolve, replace } = options
  const name = replace ? '`replace`' : '`singleTransaction`'
  if (concurrency > 1) {
    throw optionError(
      `Expected \`concurrency\` to be 1 with ${name}, which has one connection, got \`${concurrency}\``,
    )
  }
  if (evolve?.widenTypes) {
    throw optionError(
      `Expected no \`evolve.widenTypes\` with ${name}, whose rows are not kept to be sent again`,
    )
  }
  if (checkpoint) {
    throw optionError(
      `Expected no \`checkpoint\` with ${name}: all rows are committed at the end, or none is`,
    )
  }
  if (afterCommit) {
    throw optionError(
      `Expected no \`afterCommit\` with ${name}: everything is committed at 'finish', ` +
        'and the items are not kept until then',
    )
  }
}
