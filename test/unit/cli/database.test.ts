import { expect } from 'chai'
import { dataHome } from '../../../lib/cli/data-home.ts'
import { chooseDatabase } from '../../../lib/cli/database.ts'

describe('chooseDatabase', () => {
  const url = 'postgres://me:secret@h/d'

  it('takes --database before DATABASE_URL before PG* before the embedded server', () => {
    const other = 'postgresql://other/d'
    expect(chooseDatabase(url, { DATABASE_URL: other, PGHOST: 'h' })).to.deep.equal({ kind: 'url', url })
    expect(chooseDatabase(undefined, { DATABASE_URL: url, PGHOST: 'h' })).to.deep.equal({ kind: 'url', url })
    for (const name of ['PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE']) {
      expect(chooseDatabase(undefined, { [name]: '1', DATABASE_URL: '' })).to.deep.equal({
        kind: 'environment',
      })
    }
    expect(chooseDatabase(undefined, { PGPASSWORD: 'x' })).to.deep.equal({ kind: 'embedded' })
  })

  it('refuses what is no URL, and does not repeat it', () => {
    for (const wrong of ['mysql://me:secret@h/d', 'secret', 'postgres://me:secret@h:port/d']) {
      expect(() => chooseDatabase(wrong, {})).to.throw(/^Expected --database to look like/)
      expect(() => chooseDatabase(undefined, { DATABASE_URL: wrong })).to.throw(
        /^Expected DATABASE_URL to look like/,
      )
    }
  })
})

describe('dataHome', () => {
  it("is the user's data directory, and /var/lib as root, who has none that the server's user can reach", () => {
    expect(dataHome(18, { XDG_DATA_HOME: '/home/me/data' }, 1000)).to.equal(
      '/home/me/data/pg-batch/postgresql-18',
    )
    expect(dataHome(18, {}, 1000)).to.match(/\/\.local\/share\/pg-batch\/postgresql-18$/)
    expect(dataHome(18, { XDG_DATA_HOME: '/root/data' }, 0)).to.equal('/var/lib/pg-batch/postgresql-18')
    expect(dataHome(15, { PG_BATCH_DATA: '/data' }, 0)).to.equal('/data/postgresql-15')
  })
})
