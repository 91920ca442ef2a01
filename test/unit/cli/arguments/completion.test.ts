import { spawnSync } from 'node:child_process'
import { expect } from 'chai'
import { makeProgram } from '../../../../lib/cli/arguments/arguments.ts'
import { completionScript } from '../../../../lib/cli/arguments/completion.ts'

const program = makeProgram({ load: async () => {}, server: async () => {} })

describe('the completions of bash', () => {
  const script = completionScript(program, 'bash')

  /** What bash itself makes of the words, the last of which is being typed. */
  function complete(...words: string[]): string[] {
    const line = ['pg-batch', ...words].map(word => `'${word}'`).join(' ')
    const { stdout, stderr, status } = spawnSync('bash', [
      '--norc',
      '-c',
      `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _pg_batch; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ])
    expect({ status, stderr: String(stderr) }).to.deep.equal({ status: 0, stderr: '' })
    return String(stdout).trim().split('\n')
  }

  it('know every command', () => {
    const names = program.commands.map(command => command.name())
    expect(names).to.include.members(['load', 'replay', 'server', 'completion'])
    expect(complete('')).to.deep.equal([...names, 'help', '--help', '--version'])
    expect(complete('help', '')).to.deep.equal(names)
    expect(complete('lo')).to.deep.equal(['load'])
  })

  for (const command of program.commands) {
    it(`know every option of ${command.name()}`, () => {
      const long = [...command.options.map(option => option.long!), '--help']
      expect(complete(command.name(), '--').sort()).to.deep.equal(long.sort())
    })
  }

  it('know the values of an option, by its long and its short name', () => {
    expect(complete('load', 'a.csv', '--format', '')).to.deep.equal([
      'csv',
      'tsv',
      'text',
      'ndjson',
      'json',
      'parquet',
    ])
    expect(complete('load', 'a.csv', '-f', 'n')).to.deep.equal(['ndjson'])
    expect(complete('load', 'a.csv', '--encoding', 'l')).to.deep.equal(['latin1'])
    expect(complete('load', 'a.csv', '--infer', '')).to.deep.equal(['sample', 'all'])
    expect(complete('load', 'a.csv', '--log', '')).to.deep.equal(['json'])
    expect(complete('completion', '')).to.deep.equal(['bash', 'zsh'])
  })

  it('know files, for the argument and for options that take a file', () => {
    expect(complete('load', 'package.js')).to.deep.equal(['package.json'])
    expect(complete('load', 'a.csv', '--rejects', 'package.js')).to.deep.equal(['package.json'])
  })

  it('offer nothing where any text is allowed', () => {
    expect(complete('load', 'a.csv', '--table', '')).to.deep.equal([''])
    expect(complete('server', '')).to.deep.equal([''])
  })
})

describe('the completions of zsh', () => {
  const script = completionScript(program, 'zsh')

  it('name every option of every command, with its description', () => {
    for (const command of program.commands) {
      expect(script).to.match(new RegExp(`^ {4}${command.name()}\\)$`, 'm'))
      for (const option of command.options) expect(script).to.contain(`${option.long}[`)
    }
    expect(script).to.contain("'(-f --format)--format[")
    expect(script).to.match(/^#compdef pg-batch\n/)
  })

  it('are quoted correctly', () => {
    // zsh's own words and quotes are close enough to bash's for its parser to find an open quote
    const { stderr } = spawnSync('bash', ['-n'], { input: script.replace(/\(\(.*?\)\)/g, 'true') })
    expect(String(stderr)).to.equal('')
  })
})
