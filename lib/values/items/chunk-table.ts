import { partitionPoint } from '../partition-point.ts'
import { ItemTable } from './item-table.ts'

/** Items of a table that follow each other in one chunk of a file. */
export interface ChunkRun {
  /** The index in the table after the last of them. */
  readonly next: number
}

/**
 * Items of a file that are in its chunks. The memory of the chunks is used again when the items are released,
 * unless one of them exists as an object, which refers to that memory.
 */
export abstract class ChunkTable<Item extends object, Run extends ChunkRun> extends ItemTable<Item> {
  readonly length: number
  runs: readonly Run[]
  #firstNumber: number
  #hasObjects = false

  /** @param firstNumber the number of the first item in the input; the others follow */
  constructor(runs: readonly Run[], firstNumber: number) {
    super()
    this.runs = runs
    this.length = runs.at(-1)?.next ?? 0
    this.#firstNumber = firstNumber
    for (const run of runs) this.holdRun(run)
  }

  get firstNumber(): number {
    return this.#firstNumber
  }

  /** To be set before items are kept as objects, which have their numbers. */
  set firstNumber(number: number) {
    this.#firstNumber = number
    this.forgetItems()
  }

  /** Returns the run that an item is in. */
  runOf(index: number): Run {
    const { runs } = this
    return runs[partitionPoint(0, runs.length - 1, at => runs[at]!.next <= index)]!
  }

  /** Releases the memory, so that it is used again, unless an item exists as an object. */
  override release(): void {
    if (this.#hasObjects) return
    for (const run of this.runs) this.releaseRun(run)
    this.runs = []
  }

  /** Returns the runs of a part of the items. */
  protected runsBetween(from: number, to: number): Run[] {
    const runs: Run[] = []
    for (const run of this.runs) {
      if (run.next > from) runs.push({ ...run, next: Math.min(run.next, to) - from })
      if (run.next >= to) break
    }
    return runs
  }

  protected override itemAt(index: number): Item {
    return this.#make(index, this.runOf(index))
  }

  protected override *each(): Generator<Item> {
    let index = 0
    for (const run of this.runs) for (; index < run.next; index++) yield this.#make(index, run)
  }

  #make(index: number, run: Run): Item {
    this.#hasObjects = true
    return this.makeItem(index, run)
  }

  /** Makes the object of an item. */
  protected abstract makeItem(index: number, run: Run): Item

  /** Holds the memory of a run. */
  protected abstract holdRun(run: Run): void

  protected abstract releaseRun(run: Run): void
}
