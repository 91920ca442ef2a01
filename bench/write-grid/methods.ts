/** The methods of the grid, as options of PgBatchWritable. */
export const WRITING = {
  'copy binary': { method: 'copy', copyFormat: 'binary' },
  'copy text': { method: 'copy', copyFormat: 'text' },
  insert: { method: 'insert' },
} as const

export type MethodName = keyof typeof WRITING
