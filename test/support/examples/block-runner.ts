import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import pg from 'pg'
import type { Block, Section } from '../pages/markdown.ts'
import { runWell } from '../processes/run.ts'
import type { Manifest } from './manifest.ts'
import { runnableLines } from './shell-lines.ts'

const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url))

/** Where servers of messages are, for blocks that need one. */
export interface MessageServers {
  readonly kafka?: string
  readonly nats?: string
}

/** How a block finds them. */
const SERVER_VARIABLES = { kafka: 'KAFKA_BROKER', nats: 'NATS_URL' } as const satisfies Record<
  keyof MessageServers,
  string
>

/** What blocks need whose code other tests run: those of the extensions. */
const RUN_ELSEWHERE = ['pgvector']

/** Where the blocks of a section find their servers. */
interface Servers {
  readonly connectionString: string
  readonly servers: MessageServers
}

/** Runs blocks in a folder, each as its language says. */
export class BlockRunner {
  readonly #folder: string
  readonly #manifest: Manifest
  readonly #environment: NodeJS.ProcessEnv
  #modules = 0

  constructor(folder: string, manifest: Manifest, environment: NodeJS.ProcessEnv) {
    this.#folder = folder
    this.#manifest = manifest
    this.#environment = environment
  }

  async runSection(section: Section, servers: Servers): Promise<void> {
    for (const block of section.blocks) {
      try {
        await this.#runBlock(block, servers)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new Error(`line ${block.line} (${section.heading}): ${reason}`, { cause: error })
      }
    }
  }

  async #runBlock(block: Block, given: Servers): Promise<void> {
    if (block.file !== undefined) {
      const path = resolve(this.#folder, block.file)
      if (!path.startsWith(`${this.#folder}/`))
        throw new Error(`${block.file} lies outside the scratch folder`)
      await writeFile(path, block.code)
      return
    }
    if (block.needs !== undefined) {
      if (RUN_ELSEWHERE.includes(block.needs)) return
      if (!(block.needs in SERVER_VARIABLES)) throw new Error(`the tests do not provide ${block.needs}`)
      if (given.servers[block.needs as keyof MessageServers] === undefined) return
    }
    switch (block.language) {
      case 'ts':
      case 'js':
        return this.#runModule(block, given)
      case 'sh':
        return this.#runShell(block, given)
      case 'sql':
        return runSql(block, given.connectionString)
      case 'text':
      case 'console':
        return // output, for the reader
      default:
        throw new Error(
          `no way is known to run a block of language "${block.language}"; known: ts, js, sh, sql, text, console, or file=NAME`,
        )
    }
  }

  async #runModule(block: Block, servers: Servers): Promise<void> {
    this.#modules += 1
    const file = join(this.#folder, `block-${this.#modules}-line-${block.line}.mjs`)
    await writeFile(file, block.language === 'ts' ? await javaScriptOf(block.code) : block.code)
    const asTest = /^\s*(describe|it)\(/m.test(block.code) && !block.code.includes('node:test')
    const script = asTest ? [mocha, '--no-config', file] : [file]
    await runWell(process.execPath, script, this.#options(servers))
  }

  async #runShell(block: Block, servers: Servers): Promise<void> {
    const script = runnableLines(block.code, this.#manifest)
    if (script.trim() === '') return
    await runWell('bash', ['-euo', 'pipefail', '-c', script], this.#options(servers))
  }

  #options({ connectionString, servers }: Servers): { cwd: string; env: NodeJS.ProcessEnv } {
    const places = Object.entries(servers).map(([name, place]) => [
      SERVER_VARIABLES[name as keyof MessageServers],
      place,
    ])
    const env = { ...this.#environment, ...Object.fromEntries(places), DATABASE_URL: connectionString }
    return { cwd: this.#folder, env }
  }
}

async function runSql(block: Block, connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    await client.query(block.code)
  } finally {
    await client.end()
  }
}

/** The code without its types; what it imports and does not use is imported all the same. */
async function javaScriptOf(code: string): Promise<string> {
  const tsconfigRaw = { compilerOptions: { verbatimModuleSyntax: true } }
  return (await transform(code, { loader: 'ts', target: 'node20', tsconfigRaw })).code
}
