import type { TestDatabase } from './database.ts'

/** Every test that goes to the server itself although a pooler is to be tested, and why it has to. */
export const AROUND_THE_POOLER = Object.freeze({
  'a wrong login':
    'PgBouncer answers a login itself, by SQLSTATE 08P01 and after a pause, whatever the server would say',
  'a role of the test': 'PgBouncer knows only the roles of its own configuration',
  'answers without a question':
    'PgBouncer 1.18 lends a session to other clients at the end of its transaction, even if answers are due',
  'a setting of the session': 'PgBouncer in transaction mode would lend that session to other clients',
})

/** Where a test connects to that cannot go through a pooler. */
export function aroundThePooler(db: TestDatabase, _what: keyof typeof AROUND_THE_POOLER): string {
  return db.directConnectionString
}
