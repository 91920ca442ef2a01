import type { Column } from '../types.ts'

/** Only the server fills such a column: an INSERT refuses values for it. */
export function isGenerated({ generated, identity }: Pick<Column, 'generated' | 'identity'>): boolean {
  return generated || identity === 'always'
}

/** The words with which it was declared. */
export function generatedBy({ generated }: Pick<Column, 'generated'>): string {
  return generated ? 'GENERATED ALWAYS AS (expression)' : 'GENERATED ALWAYS AS IDENTITY'
}
