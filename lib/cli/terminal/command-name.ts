/** Returns what starts this command in the user's shell, where npx may be the only way to it. */
export function commandName({ npm_lifecycle_event, npm_lifecycle_script = '' }: NodeJS.ProcessEnv): string {
  const isNpx = npm_lifecycle_event === 'npx' && /^"?pg-batch(-streams)?\b/.test(npm_lifecycle_script)
  return isNpx ? 'npx pg-batch-streams' : 'pg-batch'
}

/** For messages that have the next command to run. */
export const COMMAND = commandName(process.env)
