import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSections, type Section } from './markdown.ts'

/** A page of the documentation. */
export interface Page {
  /** From the repository's root, with forward slashes: `docs/recipes.md`. */
  readonly path: string
  readonly markdown: string
  readonly sections: readonly Section[]
}

const root = new URL('../../../', import.meta.url)

/** Reads a Markdown file of the repository. */
export function readPage(path: string): Page {
  const markdown = readFileSync(new URL(path, root), 'utf8')
  return { path, markdown, sections: parseSections(markdown) }
}

/** Returns the pages for readers: those of the top level, and all of docs/. */
export function readPages(): Page[] {
  const markdownIn = (folder: string) =>
    readdirSync(fileURLToPath(new URL(folder, root)))
      .filter(name => name.endsWith('.md'))
      .sort()
      .map(name => `${folder}${name}`.replace(/^\.\//, ''))
  return [...markdownIn('./'), ...markdownIn('docs/')].map(readPage)
}
