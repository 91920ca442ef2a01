import { checkFunction, checkObject, checkString, expectOption } from '../../options/checks.ts'
import { defaultsTo, internal, optional, required, resolveOptions } from '../../options/option-table.ts'
import type { CheckpointPlan } from '../../write/checkpoint/checkpoint.ts'
import { CommittedPositions } from '../../write/checkpoint/committed-positions.ts'
import { LastItems } from '../../write/checkpoint/last-items.ts'
import { DEFAULT_CHECKPOINT_TABLE } from '../../write/checkpoint/read-checkpoint.ts'
import { orderOf } from '../../write/checkpoint/source-order.ts'
import { checkTable } from './check-table.ts'

const CHECKPOINT_OPTIONS = Object.freeze({
  name: required(checkString),
  position: required(checkFunction),
  table: defaultsTo({ name: DEFAULT_CHECKPOINT_TABLE }, checkTable),
  startsAfter: optional(checkPositions),
  /** The positions that all tables of one kafkaToPg have committed. */
  committed: internal(optional((_name, value) => value as CommittedPositions)),
})

export function checkCheckpoint<Item>(name: string, value: unknown): CheckpointPlan<Item> {
  const options = resolveOptions(name, CHECKPOINT_OPTIONS, checkObject(name, value), `${name}.`)
  const committed = options.committed ?? new CommittedPositions()
  for (const [partition, offset] of options.startsAfter ?? [])
    committed.note({ name: options.name, partition, order: orderOf({ offset }) })
  return {
    name: options.name,
    position: options.position as CheckpointPlan<Item>['position'],
    table: options.table,
    lastItems: new LastItems(),
    hasItemIndex: false,
    committed,
  }
}

function checkPositions(name: string, value: unknown): Iterable<[string, bigint]> {
  const holds =
    value instanceof Map &&
    [...value].every(([partition, offset]) => typeof partition === 'string' && typeof offset === 'bigint')
  expectOption<Map<string, bigint>>(name, value, 'a Map of bigints, as `readCheckpoint` returns it', holds)
  return value
}
