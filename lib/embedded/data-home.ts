import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Returns where the embedded server keeps its data: in the user's data directory, as the XDG base directory
 * specification says. Root's server runs as the user `postgres`, who cannot read root's home, so that its
 * data is in /var/lib. Each major version has a directory, because a server cannot read the files of another
 * major version.
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
