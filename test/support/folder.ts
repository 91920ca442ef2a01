import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Gives the surrounding `describe` a folder, and what writes a file into it and returns its path. */
export function useFolder(): (name: string, content: string | Buffer) => Promise<string> {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-batch-files-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  return async (name, content) => {
    const path = join(folder, name)
    await writeFile(path, content)
    return path
  }
}
