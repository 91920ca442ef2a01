import type { Manifest } from './manifest.ts'

/**
 * The lines of a shell block that are run. What would install, or work on a checkout, is only compared with
 * package.json: a script that is named must exist there, a package that is installed must be ours or one we
 * know.
 */
export function runnableLines(code: string, manifest: Manifest): string {
  const kept: string[] = []
  for (const line of code.replace(/\\\n\s*/g, ' ').split('\n')) {
    const commands = line.replace(/\s+#.*$/, '').split('&&')
    const isOurs = commands.some(command => command.trim().startsWith(`npx ${manifest.name} `))
    const isSetup = commands.some(command => /^\s*(npm|npx|git clone|cd)\b/.test(command))
    if (isOurs || !isSetup) kept.push(line)
    else for (const command of commands) checkCommand(command.trim(), manifest)
  }
  return kept.join('\n')
}

function checkCommand(command: string, manifest: Manifest): void {
  const [program = '', verb = '', ...rest] = command.split(/\s+/)
  const words = rest.filter(word => !word.startsWith('-'))
  if (program === 'npm' && ['run', 'test', 't', 'start'].includes(verb)) {
    const script = verb === 'run' ? (words[0] ?? '') : verb === 't' ? 'test' : verb
    if (!manifest.scripts[script]) throw new Error(`package.json has no script "${script}" (${command})`)
  } else if (program === 'npm' && ['install', 'i', 'ci'].includes(verb)) {
    const known = knownPackages(manifest)
    const unknown = words.map(word => word.replace(/(?<=.)@.*$/, '')).filter(word => !known.includes(word))
    if (unknown.length > 0) throw new Error(`the checkout does not have the package ${unknown} (${command})`)
  } else if (program === 'npx') {
    const known = [...Object.keys(manifest.bin), ...knownPackages(manifest)]
    if (!known.includes(verb)) throw new Error(`no such command: ${command}`)
  } else if (!(program === 'git' && verb === 'clone') && program !== 'cd') {
    throw new Error(`this command can be neither run nor checked: ${command}`)
  }
}

function knownPackages(manifest: Manifest): string[] {
  const dependencies = Object.entries(manifest).flatMap(([key, value]) =>
    /ependencies$/.test(key) ? Object.keys(value as object) : [],
  )
  return [manifest.name, ...dependencies]
}
