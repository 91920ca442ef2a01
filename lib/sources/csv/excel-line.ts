import { SourceError } from '../source-error.ts'
import { delimiterWord } from './dialect.ts'

/** Bytes of a longer line are not read for it: `"sep=;"` and a line end. */
const MAX_BYTES = 10

/** Returns true if the bytes show whether the first line names the delimiter. */
export function showsExcelLine(head: Buffer): boolean {
  return head.length >= MAX_BYTES || /[\r\n]/.test(head.toString('latin1'))
}

/** Returns the delimiter that a first line `sep=;` names. */
export function excelDelimiter(firstLine: string): string | undefined {
  return /^"?sep=(.)"?$/i.exec(firstLine)?.[1]
}

/**
 * Throws for a first line `sep=;`, which names the delimiter for Excel, and is data for every other program.
 */
export function refuseExcelLine(firstLine: string, name: string): void {
  const delimiter = excelDelimiter(firstLine)
  if (delimiter === undefined) return
  throw new SourceError(
    `${name}: its first line names the delimiter for Excel (sep=${delimiter}) and is not data`,
    {
      hint: `skip it: --skip-lines 1 --delimiter ${delimiterWord(delimiter)}`,
    },
  )
}
