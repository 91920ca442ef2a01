import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * Takes the place of pg's lib/crypto/utils.js in the built command. pg uses Web Crypto, which takes 7 ms more
 * of CPU until the first password is sent: Node.js loads it apart, and each step goes through a thread.
 */

export { randomBytes }

export function md5(text: string | Buffer): string {
  return createHash('md5').update(text).digest('hex')
}

/** @see https://www.postgresql.org/docs/current/protocol-flow.html AuthenticationMD5Password */
export function postgresMd5PasswordHash(user: string, password: string, salt: Buffer): string {
  return `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`
}

export function sha256(bytes: Buffer): Buffer {
  return hashByName('SHA-256', bytes)
}

export function hashByName(name: string, bytes: Buffer): Buffer {
  return createHash(name).update(bytes).digest()
}

export function hmacSha256(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Derives the key in another thread: the server chooses how many iterations it takes. */
export function deriveKey(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return promisify(pbkdf2)(password, salt, iterations, 32, 'sha256')
}
