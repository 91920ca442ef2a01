import { openSource } from '../../../../lib/sources/open-source.ts'
import type { Source } from '../../../../lib/sources/source.ts'
import type { useFolder } from '../../../support/folder.ts'

type Row = Record<string, unknown>

export const utf8 = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const

/** All rows of a file of these bytes, and what its source says of itself. */
export async function readParquet(
  write: ReturnType<typeof useFolder>,
  content: Buffer,
): Promise<Omit<Source, 'rows'> & { rows: Row[] }> {
  const source = await openSource(await write('a.parquet', content))
  return { ...source, rows: (await source.rows.toArray()) as Row[] }
}
