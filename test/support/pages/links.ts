import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Page, readPage } from './pages.ts'

const root = new URL('../../../', import.meta.url)

/**
 * Returns every link of a page to a file that is not there, or to a heading that is not in it, one line each.
 */
export function brokenLinks({ path, markdown }: Page): string[] {
  return linksOf(markdown).flatMap(link => {
    const [target = '', anchor] = link.split('#')
    const file = target === '' ? path : posix.join(posix.dirname(path), target)
    if (file.startsWith('..')) return [`${path}: ${link} leads out of the repository`]
    if (file !== path && !existsSync(fileURLToPath(new URL(file, root))))
      return [`${path}: ${link} is not there`]
    if (anchor === undefined) return []
    const headings = file === path ? anchorsOf(markdown) : anchorsOf(readPage(file).markdown)
    return headings.includes(anchor) ? [] : [`${path}: no heading is the target of ${link}`]
  })
}

/**
 * Returns the links of a page within the repository: of Markdown and of HTML's `src`, `srcset` and `href`.
 */
export function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown)
  const links = [
    ...text.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g),
    ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm),
    ...text.matchAll(/(?:src|srcset|href)="([^"]+)"/g),
  ]
  return links.map(([, link]) => link!).filter(link => !/^[a-z]+:/i.test(link))
}

/** Returns the anchors that GitHub gives to a page's headings. Repeated headings are numbered from 1. */
export function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>()
  return [...withoutFences(markdown).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)].map(([, heading]) => {
    const text = heading!.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    const anchor = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^(\s*)(`{3,}|~{3,})[^`\n]*\n[\s\S]*?^\s*\2[`~]*\s*$/gm, '')
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '')
}
