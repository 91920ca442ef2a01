import { SourceError } from '../source-error.ts'
import { delimiterWord } from './dialect.ts'

/** Refuses `sep=;`, a first line that Excel takes for the name of the delimiter, and every other program for data. */
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
