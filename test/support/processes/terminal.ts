import { Readable, Writable } from 'node:stream'
import { type Surroundings, type Terminal, terminalOf } from '../../../lib/cli/terminal/output.ts'

export interface TestTerminal extends Terminal {
  /** What the command printed so far. */
  readonly printed: { readonly stdout: string; readonly stderr: string }
}

/** The size of the chunks that a pipe gives. */
const PIPE_BYTES = 65_536

/** A terminal for a command that runs in the process of its test. It keeps what is printed, as pipes do. */
export function testTerminal(
  env: Surroundings['env'] = {},
  input: string | Buffer | Readable = '',
): TestTerminal {
  const printed = { stdout: '', stderr: '' }
  const printer = (name: keyof typeof printed): Writable =>
    new Writable({
      decodeStrings: false,
      write(text, _encoding, done) {
        printed[name] += text
        done()
      },
    })
  const stdin = input instanceof Readable ? input : pipeOf(Buffer.from(input))
  return { ...terminalOf({ env, stdin, stdout: printer('stdout'), stderr: printer('stderr') }), printed }
}

function pipeOf(bytes: Buffer): Readable {
  let start = 0
  return new Readable({
    read() {
      const chunk = bytes.subarray(start, start + PIPE_BYTES)
      start += chunk.length
      this.push(chunk.length > 0 ? chunk : null)
    },
  })
}
