import type { CreateArguments } from '../arguments/create-arguments.ts'
import type { InputArguments } from '../arguments/input-arguments.ts'

/** The options that decide which rows there are and what they mean. */
type Meaning = InputArguments & CreateArguments & { readonly columns?: readonly string[] }

/**
 * Describes how the files are read. A load is resumed only with the same description: otherwise the rows
 * might have other numbers or other values.
 * @param description how the source describes itself
 */
export function inputFingerprint(description: string, args: Meaning): string {
  const { quote, escape: escapeBy, comment, null: nulls, forceNull, columns, map, create, infer, type } = args
  const { decimalSeparator = '.' } = args
  return [
    description,
    ...named({ quote, escape: escapeBy, comment }),
    ...(nulls ? [`null ${nulls.toSorted().map(quoted).join(' and ')}`] : []),
    ...(forceNull ? ['null in quotes, too'] : []),
    ...(decimalSeparator === '.' ? [] : ['decimal commas']),
    ...(columns ? [`columns ${columns.map(quoted).join(' ')}`] : []),
    ...(map ? [`map ${pairs(map)}`] : []),
    ...(create ? [infer === 'all' ? 'types inferred from all rows (--create)' : 'types by --create'] : []),
    ...(type ? [`type ${pairs(type)}`] : []),
  ].join(', ')
}

function named(options: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
}

function pairs(map: ReadonlyMap<string, string>): string {
  return [...map]
    .map(([from, to]) => `${quoted(from)}=${quoted(to)}`)
    .sort()
    .join(' ')
}

/** Quotes a text, so that different options have different descriptions. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
