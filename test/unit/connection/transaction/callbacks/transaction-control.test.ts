import { expect } from 'chai'
import { transactionControl } from '../../../../../lib/connection/transaction/callbacks/transaction-control.ts'
import { cpuMs } from '../../../../support/processes/cpu-time.ts'

const KINDS: Readonly<Record<string, readonly string[]>> = {
  begin: [
    'BEGIN',
    'begin;',
    ' /* a /* nested */ one */ -- line\n Begin Work ;;',
    'START TRANSACTION',
    ';begin',
  ],
  commit: ['COMMIT', 'commit work;', 'END', 'End Transaction', 'commit and no chain', '--\rCOMMIT'],
  rollback: ['ROLLBACK', 'abort', 'rollback transaction', "/* it's */ROLLBACK"],
}

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'an isolation level or another transaction mode': [
    'BEGIN ISOLATION LEVEL SERIALIZABLE',
    'start transaction read only',
    'begin transaction deferrable',
  ],
  'SET TRANSACTION': [
    'set transaction isolation level repeatable read',
    'SET LOCAL TRANSACTION READ ONLY',
    'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
    'set transaction_read_only to on',
    'select 1; SET TRANSACTION READ ONLY',
  ],
  'COMMIT AND CHAIN': ['commit and chain', 'END WORK AND CHAIN'],
  'ROLLBACK AND CHAIN': ['ABORT AND CHAIN'],
  'PREPARE TRANSACTION': ["PREPARE TRANSACTION 'a'"],
  'COMMIT PREPARED': ["COMMIT PREPARED 'a'"],
  'ROLLBACK PREPARED': ["rollback prepared 'a'"],
  'transaction control in a string of several statements': [
    'BEGIN; INSERT INTO t VALUES (1); COMMIT',
    'ROLLBACK TO a; ROLLBACK',
    'SELECT $q$ $$; $q$; ROLLBACK',
    "SELECT E'\\''; commit",
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; COMMIT',
  ],
}

const PASSED: readonly string[] = [
  '',
  ';',
  '-- COMMIT',
  '/* COMMIT',
  'SAVEPOINT a',
  'RELEASE SAVEPOINT a; SELECT 1',
  'ROLLBACK TO SAVEPOINT a',
  'rollback work to a',
  "SELECT 'a''; COMMIT'",
  "SELECT E'a\\'; COMMIT'",
  'SELECT "a; ROLLBACK", $1',
  'SELECT $$; COMMIT; $$, $a$ $$; COMMIT $a$',
  'SELECT a$b$; SELECT 1',
  'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END',
  'CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); DELETE FROM v)',
  'PREPARE p AS SELECT 1',
  'SET LOCAL work_mem = 64',
  'SELECT 1 AS "commit"',
  'CALL rollback_everything()',
]

describe('what a query does to its transaction', () => {
  for (const [kind, texts] of Object.entries(KINDS)) {
    for (const text of texts) {
      it(`is ${kind}: ${JSON.stringify(text)}`, () => {
        expect(transactionControl(text)).to.deep.equal({ kind })
      })
    }
  }
  for (const [what, texts] of Object.entries(REFUSED)) {
    for (const text of texts) {
      it(`is refused: ${JSON.stringify(text)}`, () => {
        expect(transactionControl(text)).to.deep.equal({ kind: 'refused', what })
      })
    }
  }
  for (const text of PASSED) {
    it(`is nothing: ${JSON.stringify(text)}`, () => {
      expect(transactionControl(text)).to.equal(undefined)
    })
  }

  it('is found in time that grows with the text only', () => {
    const pieces = ['$a', "'", '/*', '--', '(', 'a$', ';', "e'\\", '$a$b$', 'e', '"', '/', '\n', 'CASE ']
    for (const piece of pieces) {
      const text = piece.repeat(1_000_000 / piece.length)
      expect(
        cpuMs(() => transactionControl(text)),
        piece,
      ).to.be.below(1500)
    }
  })
})
