/** Returns Node's zlib. To load it takes 2 ms, which most files need not wait for: they are not packed. */
export function zlib(): typeof import('node:zlib') {
  return process.getBuiltinModule('node:zlib')
}
