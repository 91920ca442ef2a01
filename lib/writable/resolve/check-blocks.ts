import { BlockLayout } from '../../columnar/block-row.ts'
import { expectOption } from '../../options/checks.ts'

export function checkBlocks(name: string, value: unknown): BlockLayout {
  expectOption<BlockLayout>(name, value, 'a BlockLayout', value instanceof BlockLayout)
  return value
}
