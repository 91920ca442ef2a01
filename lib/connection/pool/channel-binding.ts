/** What is used of pg's Client and its Connection before the connection is made. */
interface ConnectingClient {
  readonly enableChannelBinding?: boolean
  readonly connection: {
    readonly stream: { destroy(error: Error): void }
    on(event: string, listener: (message: { mechanisms?: readonly string[] }) => void): unknown
  }
}

/**
 * Ends a connection whose server asks for the password in a way that is not bound to the TLS connection,
 * before anything of the password is sent, or asks for no password. pg by itself binds only if the server
 * offers it. Returns a function that returns why the connection was ended: pg may report success all the
 * same, because it reads on in what the server has sent at once.
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
  // pg checks this message: only a server that knows the password's verifier gets it right
  connection.on('authenticationSASLFinal', () => {
    proved = true
  })
  connection.on('authenticationOk', () => {
    if (!proved) refuse('asks for no password, and so proves nothing')
  })
  return () => refusal
}
