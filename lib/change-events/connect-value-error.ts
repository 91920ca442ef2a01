/**
 * The reason why a value cannot be decoded. The message continues `Field "x" …`, and never holds the value.
 */
export class ConnectValueError extends Error {
  override readonly name = 'ConnectValueError'
}
