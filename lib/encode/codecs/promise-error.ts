/** A value is a Promise, because an `await` is missing. Its JSON would be `{}`. */
export class PromiseError extends TypeError {
  override readonly name = 'PromiseError'

  constructor() {
    super('the value is a Promise: await it before the row is written')
  }
}
