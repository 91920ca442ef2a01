/** What of pg's Client and its Connection is used before a connection is there. */
interface ConnectingClient {
  readonly enableChannelBinding?: boolean
  readonly connection: {
    readonly stream: { destroy(error: Error): void }
    on(event: string, listener: (message: { mechanisms?: readonly string[] }) => void): unknown
  }
}

/**
 * Ends a connection whose server asks for a password in a way that is not bound to the TLS connection, before anything
 * of the password is sent, and one whose server skips the question. pg alone binds where the server offers it. Returns
 * what asks why the connection was ended: pg may report success, for what the server sent in one piece it reads on.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-CHANNEL-BINDING
 */
export function requireChannelBinding(client: ConnectingClient): () => Error | undefined {
  if (client.enableChannelBinding !== true) {
    throw new Error('channel_binding=require needs a newer pg, whose Client has enableChannelBinding')
  }
  const { connection } = client
  let refusal: Error | undefined
  const refuse = (did: string): void => {
    refusal ??= new Error(`channel_binding=require: the server ${did}`)
    connection.stream.destroy(refusal)
  }
  let proved = false
  const asked = 'asks for a password without channel binding (SCRAM-SHA-256-PLUS)'
  connection.on('authenticationCleartextPassword', () => refuse(asked))
  connection.on('authenticationMD5Password', () => refuse(asked))
  connection.on('authenticationSASL', ({ mechanisms = [] }) => {
    if (!mechanisms.includes('SCRAM-SHA-256-PLUS')) refuse(asked)
  })
  // what the server says here pg checks: only one that knows the password's verifier gets it right
  connection.on('authenticationSASLFinal', () => {
    proved = true
  })
  connection.on('authenticationOk', () => {
    if (!proved) refuse('asks for no password, and so proves nothing')
  })
  return () => refusal
}
