/**
 * As much of PostgreSQL's wire protocol as it takes to know where a message begins and what it is about.
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

export type Direction = 'up' | 'down'

/** One whole message; `up` is client → server. */
export interface WireMessage {
  readonly direction: Direction
  /** The message's name in the manual; `Other` for those that no fault is aimed at. */
  readonly name: string
  /** The SQL of Query and Parse, the tag of CommandComplete; else empty. */
  readonly text: string
  readonly bytes: Buffer
}

const UP: Readonly<Record<string, string>> = {
  Q: 'Query',
  P: 'Parse',
  B: 'Bind',
  E: 'Execute',
  S: 'Sync',
  d: 'CopyData',
  c: 'CopyDone',
  f: 'CopyFail',
  p: 'Password',
  X: 'Terminate',
}

const DOWN: Readonly<Record<string, string>> = {
  C: 'CommandComplete',
  E: 'ErrorResponse',
  G: 'CopyInResponse',
  Z: 'ReadyForQuery',
  R: 'Authentication',
  D: 'DataRow',
}

/** Cuts one direction of a connection into messages, however the bytes come. */
export class WireParser {
  readonly #direction: Direction
  #held: Buffer = Buffer.alloc(0)
  /** The first message of a client has no type byte. */
  #startup: boolean

  /** @param startup the first message is that of a new client */
  constructor(direction: Direction, startup = direction === 'up') {
    this.#direction = direction
    this.#startup = startup
  }

  /** Takes bytes, and returns the messages that are whole now. */
  take(bytes: Buffer): WireMessage[] {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const messages: WireMessage[] = []
    for (let message = this.#next(); message; message = this.#next()) messages.push(message)
    return messages
  }

  #next(): WireMessage | undefined {
    const header = this.#startup ? 0 : 1
    if (this.#held.length < header + 4) return undefined
    const length = header + this.#held.readInt32BE(header)
    if (this.#held.length < length) return undefined
    const bytes = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    const startup = this.#startup
    this.#startup = false
    const type = startup ? '' : String.fromCharCode(bytes[0]!)
    const name = startup ? 'Startup' : ((this.#direction === 'up' ? UP : DOWN)[type] ?? 'Other')
    return { direction: this.#direction, name, text: textOf(name, bytes), bytes }
  }
}

function textOf(name: string, bytes: Buffer): string {
  if (name === 'Query' || name === 'CommandComplete') return bytes.toString('utf8', 5, bytes.length - 1)
  if (name !== 'Parse') return ''
  const statementEnd = bytes.indexOf(0, 5)
  return bytes.toString('utf8', statementEnd + 1, bytes.indexOf(0, statementEnd + 1))
}
