import type { Column } from '../../types.ts'

/** The words with which it was declared. */
export function generatedBy({ generated }: Pick<Column, 'generated'>): string {
  return generated ? 'GENERATED ALWAYS AS (expression)' : 'GENERATED ALWAYS AS IDENTITY'
}
