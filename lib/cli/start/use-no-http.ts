/**
 * To be called before pg is imported. Node.js 21 and later have this global. Without it pg reads the global
 * Response, which makes Node.js 20 load an HTTP client.
 */
export function useNoHttp(): void {
  if ('navigator' in globalThis) return
  Object.defineProperty(globalThis, 'navigator', { value: { userAgent: `Node.js/${process.versions.node}` } })
}
