import { SourceError } from '../source-error.ts'
import { delimiterWord } from './dialect.ts'

/**
 * Throws for a first line `sep=;`, which names the delimiter for Excel, and is data for every other program.
 */
export function refuseExcelLine(firstLine: string, name: string): void {
  const delimiter = /^"?sep=(.)"?$/i.exec(firstLine)?.[1]
  if (delimiter === undefined) return
  throw new SourceError(
    `${name}: its first line names the delimiter for Excel (sep=${delimiter}) and is not data`,
    {
      hint: `skip it: tail -n +2 … | pg-batch load - … --delimiter ${delimiterWord(delimiter)}`,
    },
  )
}
