import { isError } from './is-error.ts'

/**
 * Returns the class of what a user's function threw, and where it was thrown: `TypeError at etl.ts:20:14`.
 * The place is the first stack frame outside Node.js and node_modules. Never returns any of the error's
 * message, which may hold a row's values.
 */
export function errorOrigin(thrown: unknown): string {
  if (!isError(thrown)) return 'a value that is not an Error'
  try {
    const place = placeOf(thrown)
    return place === undefined ? className(thrown) : `${className(thrown)} at ${place}`
  } catch {
    return 'Error' // a getter of the error threw
  }
}

function className(error: Error): string {
  const name = typeof error.constructor === 'function' ? error.constructor.name : ''
  return /^[A-Za-z_$][\w$]{0,99}$/.test(name) ? name : 'Error'
}

function placeOf({ stack, message }: Error): string | undefined {
  if (typeof stack !== 'string') return undefined
  // the stack begins with the message, whose lines may look like frames
  const start = stack.indexOf(message)
  if (start < 0) return undefined
  for (const line of stack.slice(start + message.length).split('\n')) {
    const frame = /^\s+at (?:.*\(|async )?([^()]+?):(\d+):(\d+)\)?$/.exec(line)
    if (!frame) continue
    const [, file = '', row, column] = frame
    if (!NOT_OF_THE_USER.test(file)) return `${file.slice(file.search(/[^\\/]*$/))}:${row}:${column}`
  }
  return undefined
}

/** Files of Node.js and of installed packages, this one among them, and code without a file. */
const NOT_OF_THE_USER = /^(node:|<|native)|[\\/]node_modules[\\/]/
