/** A fenced code block of a Markdown page. */
export interface Block {
  /** The first word after the fence, in lower case; '' without one. */
  readonly language: string
  /** From the fence's info string: `file=orders.csv`. */
  readonly file: string | undefined
  /** From the fence's info string: `needs=kafka`, what it cannot run without. */
  readonly needs: string | undefined
  readonly code: string
  /** The line of the opening fence, from 1. */
  readonly line: number
}

/** A heading and the blocks below it, up to the next heading of any level. */
export interface Section {
  readonly heading: string
  readonly line: number
  readonly blocks: readonly Block[]
}

/**
 * The sections that hold a block. Fences inside an HTML comment count: a page can so set up what it does not
 * want to show. A fence that is never closed throws, since it would hide all that follows.
 */
export function parseSections(markdown: string): Section[] {
  const sections: { heading: string; line: number; blocks: Block[] }[] = [
    { heading: '(top)', line: 1, blocks: [] },
  ]
  let open: { fence: string; indent: number; info: string; line: number; code: string[] } | undefined
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const line = index + 1
    if (open) {
      const end = text.trim()
      if (end.startsWith(open.fence) && /^(`+|~+)$/.test(end)) {
        sections.at(-1)?.blocks.push(block(open))
        open = undefined
      } else {
        open.code.push(text.slice(Math.min(open.indent, text.length - text.trimStart().length)))
      }
      continue
    }
    const [, indent = '', fence, info = ''] = text.match(/^(\s*)(`{3,}|~{3,})\s*([^`]*)$/) ?? []
    if (fence) open = { fence, indent: indent.length, info: info.trim(), line, code: [] }
    const heading = text.match(/^#{1,6}\s+(.*?)\s*#*$/)?.[1]
    if (heading) sections.push({ heading, line, blocks: [] })
  }
  if (open) throw new Error(`line ${open.line}: this code block is never closed`)
  return sections.filter(section => section.blocks.length > 0)
}

function block({ info, line, code }: { info: string; line: number; code: string[] }): Block {
  const [first = '', ...rest] = info.split(/\s+/)
  const given = (name: string) => [first, ...rest].find(word => word.startsWith(name))?.slice(name.length)
  const file = given('file=')
  return {
    language: first.startsWith('file=') ? '' : first.toLowerCase(),
    file,
    needs: given('needs='),
    code: `${code.join('\n')}\n`,
    line,
  }
}
