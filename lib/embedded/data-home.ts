import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where the embedded server keeps its data: the user's data directory, as the XDG base directory specification
 * has it. Root's server runs as the user `postgres`, who cannot look into root's home: there it is /var/lib.
 * One directory a major version, since a server cannot read another one's files.
 */
export function dataHome(
  major: number,
  env: NodeJS.ProcessEnv = process.env,
  userId: number | undefined = process.getuid?.(),
): string {
  const directory = `postgresql-${major}`
  if (env.PG_BATCH_DATA) return join(env.PG_BATCH_DATA, directory)
  if (userId === 0) return join('/var/lib/pg-batch', directory)
  return join(env.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'pg-batch', directory)
}
