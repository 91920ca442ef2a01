import { chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A safeguard that is taken out: where it stands, its text, and what stands there instead. */
export interface Patch {
  readonly file: string
  readonly from: string
  readonly to: string
}

/**
 * Copies parts of the repository, with its settings and its packages, changes one place of the copy, and
 * hands its folder to `work`; deletes it afterwards.
 * @throws when what is to be changed does not occur exactly once
 */
export async function withPatchedCopy<T>(
  paths: readonly string[],
  { file, from, to }: Patch,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-batch-patched-'))
  try {
    await chmod(folder, 0o755) // for servers that run as another user
    for (const path of [...paths, 'package.json', 'tsconfig.json']) {
      await cp(join(ROOT, path), join(folder, path), { recursive: true })
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const parts = (await readFile(join(folder, file), 'utf8')).split(from)
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${from}`)
    await writeFile(join(folder, file), parts.join(to))
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
