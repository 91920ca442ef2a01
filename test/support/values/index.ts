/** Values for columns by type: what belongs there, what nearly does, and what never should have come. */

export * from './built-of.ts'
export * from './codes.ts'
export * from './documents.ts'
export * from './identifiers.ts'
export * from './numbers.ts'
export * from './odd-values.ts'
export * from './temporal.ts'
export * from './texts.ts'
