import { expect } from 'chai'
import { commandName } from '../../../../lib/cli/terminal/command-name.ts'

describe('the name of the command in messages', () => {
  for (const [title, env, name] of [
    ['of an installed command', {}, 'pg-batch'],
    ['of npx', { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'pg-batch' }, 'npx pg-batch-streams'],
    [
      'of npx that downloads the package',
      { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'pg-batch-streams load a.csv' },
      'npx pg-batch-streams',
    ],
    [
      'below another program of npx',
      { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'mocha' },
      'pg-batch',
    ],
    ['of a script', { npm_lifecycle_event: 'load', npm_lifecycle_script: 'pg-batch load a.csv' }, 'pg-batch'],
  ] as const) {
    it(`is that ${title}`, () => expect(commandName(env)).to.equal(name))
  }
})
