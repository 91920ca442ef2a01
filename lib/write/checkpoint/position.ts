import { CallbackMisuse, refusePromise } from '../../connection/transaction/callbacks/callback-limits.ts'
import { kindOf } from '../../values/kind-of.ts'
import { CallbackError } from '../faults/failure.ts'

/** The position of an item in its source. Offsets grow within a partition, and may have gaps. */
export interface Position {
  /** @default '' */
  partition?: string | undefined
  /** An integer from 0 to 2^63 - 1. */
  offset: number | bigint
  /**
   * For items that share an offset, such as the rows of one message: counts them from 0, in their order. An
   * integer from 0 to 2^63 - 1.
   * @default the only item of its offset
   */
  index?: number | bigint | undefined
}

/** A position that was checked, with its default in place. */
export interface ResolvedPosition {
  readonly partition: string
  readonly offset: bigint
  readonly index?: bigint | undefined
}

/** The highest value of a bigint column. */
const MAX_OFFSET = 2n ** 63n - 1n

/**
 * Asks the caller for an item's position, and checks it.
 * @throws CallbackError when `ask` throws or returns something else
 */
export function positionOf<Item>(
  ask: (item: Item) => Position,
  item: Item,
  option = 'checkpoint.position',
): ResolvedPosition {
  let position: Position
  try {
    position = ask(item)
    refusePromise(option, position)
  } catch (cause) {
    throw new CallbackError(option, cause)
  }
  const { partition = '', offset, index } = position ?? {}
  if (typeof partition !== 'string' || !isOffset(offset) || !(index === undefined || isOffset(index))) {
    const cause = new CallbackMisuse(
      `Expected \`${option}\` to return { partition?: string, offset, index? }, ` +
        `where offset and index are integers from 0 to 2^63 - 1, got ${kindsOf(position)}`,
    )
    throw new CallbackError(option, cause)
  }
  const known = { partition, offset: BigInt(offset) }
  return index === undefined ? known : { ...known, index: BigInt(index) }
}

/** Returns the kinds of what was returned, and not the values: `{ offset: a string }`, `a number`. */
function kindsOf(position: unknown): string {
  if (typeof position !== 'object' || position === null) return kindOf(position)
  const { partition, offset, index } = position as Record<string, unknown>
  const parts = Object.entries({ partition, offset, index }).filter(
    ([key, value]) => key === 'offset' || value !== undefined,
  )
  return `{ ${parts.map(([key, value]) => `${key}: ${kindOf(value)}`).join(', ')} }`
}

function isOffset(value: unknown): value is number | bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false
  return (value as number | bigint) >= 0 && (value as number | bigint) <= MAX_OFFSET
}
