import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../processes/run.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/pg-batch-streams/', import.meta.url))

/** A first run downloads 43 MB. */
const MAVEN_TIMEOUT_MS = 600_000

/**
 * The folder with the jars that pom.xml asks for. Maven brings them once; they stay in node_modules/.cache
 * for as long as pom.xml stays the same.
 * @throws when Maven is not there, or cannot bring them
 */
export async function brokerJars(): Promise<string> {
  const pom = await readFile(join(HERE, 'pom.xml'))
  const jars = join(CACHE, `kafka-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`)
  if (!(await isThere(jars))) await download(jars)
  return jars
}

/** Downloads beside the folder and renames: what is there is whole, even if two runs start at once. */
async function download(jars: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const fresh = await mkdtemp(join(CACHE, 'download-'))
  try {
    const output = join(fresh, 'jars')
    await maven('-q', 'dependency:copy-dependencies', `-DoutputDirectory=${output}`)
    await rename(output, jars).catch(async error => {
      if (!(await isThere(jars))) throw error // else another run was first
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function maven(...args: string[]): Promise<void> {
  const options = { cwd: HERE, env: process.env, timeoutMs: MAVEN_TIMEOUT_MS }
  const { status, stdout, stderr } = await run('mvn', ['-B', ...args], options).catch(cause => {
    throw new Error(
      'The Kafka tests need Maven, to download the broker: `mvn` could not be run (on Debian: apt-get install maven)',
      { cause },
    )
  })
  if (status !== 0) throw new Error(`Maven could not bring Kafka's jars:\n${stdout}\n${stderr}`)
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
