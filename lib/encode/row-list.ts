/** Rows, and for each one the index of its item in the batch. */
export interface RowList {
  readonly length: number
  at(index: number): object
  itemAt(index: number): number
}
