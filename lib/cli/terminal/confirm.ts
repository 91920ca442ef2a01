import { createInterface } from 'node:readline'
import type { Terminal } from './output.ts'

/** Reads the answer to a question that was printed: no at the end of input, or when `signal` aborts. */
export async function confirmed(stdin: Terminal['stdin'], signal: AbortSignal): Promise<boolean> {
  // not in raw mode, so that Ctrl-C stays a signal
  const lines = createInterface({ input: stdin, terminal: false, signal })
  try {
    const answer = await new Promise<string>(resolve => {
      lines.once('line', resolve).once('close', () => resolve(''))
    })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
    stdin.unref?.()
  }
}
