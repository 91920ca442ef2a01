import type { TablePlan } from '../plan/table-plan.ts'
import { keyReader, type ReadKey } from './read-key.ts'
import type { ShapedRow } from './rows.ts'

/**
 * Orders rows so that each one comes after the row of the batch that its foreign key refers to, and puts rows
 * that refer to each other in a circle together. Other rows keep their order. Keys are compared by their
 * text, which may differ for equal values (`1.0` and `1` are one numeric): the order saves work, and decides
 * nothing.
 *
 * Depth-first: Tarjan's algorithm finds circles, and lists each circle after those that it leads to.
 * @see https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
 */
export function parentsFirst<R extends ShapedRow>(rows: readonly R[], plan: TablePlan): (readonly R[])[] {
  if (plan.selfReferences.length === 0) return rows.map(row => [row])
  const parents = parentsOf(rows, plan)
  const units: R[][] = []
  const order = new Int32Array(rows.length).fill(-1)
  const lowest = new Int32Array(rows.length)
  const onPath = new Uint8Array(rows.length)
  const path: number[] = []
  let visited = 0
  const enter = (index: number): { index: number; next: number } => {
    order[index] = lowest[index] = visited++
    onPath[index] = 1
    path.push(index)
    return { index, next: 0 }
  }
  for (let root = 0; root < rows.length; root++) {
    if (order[root]! >= 0) continue
    // an explicit stack: a batch may be one long chain
    const calls = [enter(root)]
    while (calls.length > 0) {
      const call = calls.at(-1)!
      const { index } = call
      const parent = parents[index]![call.next++]
      if (parent !== undefined) {
        if (order[parent]! < 0) calls.push(enter(parent))
        else if (onPath[parent]) lowest[index] = Math.min(lowest[index]!, order[parent]!)
        continue
      }
      calls.pop()
      const caller = calls.at(-1)
      if (caller) lowest[caller.index] = Math.min(lowest[caller.index]!, lowest[index]!)
      if (lowest[index] !== order[index]) continue
      const members = path.splice(path.lastIndexOf(index))
      for (const member of members) onPath[member] = 0
      units.push(members.sort((a, b) => a - b).map(member => rows[member]!))
    }
  }
  return units
}

/** Returns for each row the indexes of the rows that it refers to, itself left out. */
function parentsOf(rows: readonly ShapedRow[], plan: TablePlan): number[][] {
  const parents = rows.map((): number[] => [])
  for (const reference of plan.selfReferences) {
    const children = keyReader(plan, reference.columns)
    const keys = keyReader(plan, reference.references)
    if (!children || !keys) continue
    const byKey = new Map<string, number>()
    for (const [index, row] of rows.entries()) {
      const key = textOf(row, keys)
      if (key !== undefined && !byKey.has(key)) byKey.set(key, index)
    }
    for (const [index, row] of rows.entries()) {
      const key = textOf(row, children)
      const parent = key === undefined ? undefined : byKey.get(key)
      if (parent !== undefined && parent !== index) parents[index]!.push(parent)
    }
  }
  return parents
}

function textOf({ row, shape }: ShapedRow, read: ReadKey): string | undefined {
  const texts = shape.deletes ? undefined : read(row)
  return texts && JSON.stringify(texts)
}
