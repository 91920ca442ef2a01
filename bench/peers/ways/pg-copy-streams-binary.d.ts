/** It comes without types. */
declare module 'pg-copy-streams-binary' {
  const binary: { rowWriter(): import('node:stream').Transform }
  export default binary
}
