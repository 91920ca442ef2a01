import type { Dialect } from './dialect.ts'

export type Field = string | null

/**
 * Makes NULL of the unquoted fields that stand for it, by walking along the record's own text, which the parser gives
 * beside the fields: of these alone nobody could tell `""` from nothing. On the way it restores what the parser
 * takes from fields with an escape of their own: it drops each, COPY only those before a quote or an escape.
 */
export function fieldReader(dialect: Dialect): (record: readonly string[], raw: string) => readonly Field[] {
  const { quote, escape: escapeBy, nulls, comment } = dialect
  const isNull = new Set(nulls)
  const ownEscape = escapeBy !== quote && escapeBy !== undefined
  const escaped = ownEscape
    ? new RegExp(`${hex(escapeBy)}([${hex(escapeBy)}${hex(quote!)}])`, 'g')
    : undefined

  function walk(record: readonly string[], raw: string): Field[] {
    let position = comment === undefined ? 0 : afterComments(raw, comment)
    return record.map(field => {
      if (quote === undefined || raw[position] !== quote) {
        position += field.length + 1
        return isNull.has(field) ? null : field
      }
      const start = position + 1
      const end = closingQuote(raw, start, quote, escapeBy!)
      position = end + 2
      return escaped ? raw.slice(start, end).replace(escaped, '$1') : field
    })
  }

  return (record, raw) => (ownEscape || record.some(field => isNull.has(field)) ? walk(record, raw) : record)
}

function closingQuote(raw: string, start: number, quote: string, escapeBy: string): number {
  for (let i = start; ; i++) {
    if (raw[i] === escapeBy && (raw[i + 1] === quote || raw[i + 1] === escapeBy)) i++
    else if (raw[i] === quote || i >= raw.length) return i
  }
}

/** Comment lines stand before the record that follows them; the parser keeps one character of each line's end. */
function afterComments(raw: string, comment: string): number {
  let position = 0
  while (raw.startsWith(comment, position)) {
    const end = raw.slice(position).search(/[\r\n]/)
    if (end < 0) break
    position += end + 1
  }
  return position
}

function hex(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
