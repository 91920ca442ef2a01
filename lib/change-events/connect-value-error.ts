/** Why a value could not be decoded; ends the sentence `Field "x" …` without the value. */
export class ConnectValueError extends Error {
  override readonly name = 'ConnectValueError'
}
