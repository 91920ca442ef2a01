/** What is read of package.json. */
export interface Manifest {
  name: string
  version: string
  exports: Record<string, string | { default: string }>
  bin: Record<string, string>
  scripts: Record<string, string>
  [kind: `${string}ependencies`]: Record<string, string>
}
