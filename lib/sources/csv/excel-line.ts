import { SourceError } from '../source-error.ts'
import { delimiterWord } from './dialect.ts'

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
      hint: `skip it: tail -n +2 … | pg-batch load - … --delimiter ${delimiterWord(delimiter)}`,
    },
  )
}
