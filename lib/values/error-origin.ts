import { fileURLToPath } from 'node:url'
import { isError } from './is-error.ts'

/** The folder of this package's code. Its frames say nothing about a fault in a user's function. */
const PACKAGE_FOLDER = fileURLToPath(new URL('..', import.meta.url))

/**
 * Returns the class of what a user's function threw, and where it was thrown: `TypeError at etl.ts:20:14`.
 * The place is the first stack frame outside Node.js, this package and node_modules. Never returns any of the
 * error's message, which may hold a row's values.
 */
export function errorOrigin(thrown: unknown): string {
  if (!isError(thrown)) return 'a value that is not an Error'
  try {
    const place = placeOf(thrown)
    return place === undefined ? className(thrown) : `${className(thrown)} at ${place}`
  } catch {
    return 'Error' // a getter of the error threw, or a file URL is not one of this system
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
    const path = frame && filePath(frame[1]!)
    if (path) return `${path.slice(path.search(/[^\\/]*$/))}:${frame[2]}:${frame[3]}`
  }
  return undefined
}

/**
 * Returns the path of a frame's file, unless it is one of Node.js, of this package, or of an installed one.
 */
function filePath(location: string): string | undefined {
  const path = location.startsWith('file://') ? fileURLToPath(location) : location
  if (/^(node:|<|native)|[\\/]node_modules[\\/]/.test(path) || path.startsWith(PACKAGE_FOLDER))
    return undefined
  return path
}
