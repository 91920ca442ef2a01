import { expect } from 'chai'
import { DeadlineError } from '../../../../lib/connection/deadline-error.ts'
import {
  isRowsFault,
  isTransient,
  mayHideSqlState,
  TRANSIENT_SQLSTATES,
} from '../../../../lib/write/faults/transient.ts'

const server = (code: string) => Object.assign(new Error('message'), { code, severity: 'ERROR' })
const socket = (code: string) => Object.assign(new Error('message'), { code })

/** By their names in PostgreSQL's table of error codes, so that no number is mistyped twice. */
const TRANSIENT: Readonly<Record<string, string>> = {
  connection_exception: '08000',
  sqlclient_unable_to_establish_sqlconnection: '08001',
  connection_does_not_exist: '08003',
  sqlserver_rejected_establishment_of_sqlconnection: '08004',
  connection_failure: '08006',
  transaction_resolution_unknown: '08007',
  protocol_violation: '08P01',
  read_only_sql_transaction: '25006',
  idle_in_transaction_session_timeout: '25P03',
  transaction_timeout: '25P04',
  transaction_rollback: '40000',
  serialization_failure: '40001',
  statement_completion_unknown: '40003',
  deadlock_detected: '40P01',
  insufficient_resources: '53000',
  disk_full: '53100',
  out_of_memory: '53200',
  too_many_connections: '53300',
  object_in_use: '55006',
  lock_not_available: '55P03',
  query_canceled: '57014',
  admin_shutdown: '57P01',
  crash_shutdown: '57P02',
  cannot_connect_now: '57P03',
  database_dropped: '57P04',
  idle_session_timeout: '57P05',
  io_error: '58030',
}

const PERMANENT: Readonly<Record<string, string>> = {
  feature_not_supported: '0A000',
  numeric_value_out_of_range: '22003',
  invalid_text_representation: '22P02',
  not_null_violation: '23502',
  foreign_key_violation: '23503',
  unique_violation: '23505',
  check_violation: '23514',
  exclusion_violation: '23P01',
  in_failed_sql_transaction: '25P02',
  invalid_authorization_specification: '28000',
  invalid_password: '28P01',
  invalid_catalog_name: '3D000',
  transaction_integrity_constraint_violation: '40002',
  insufficient_privilege: '42501',
  syntax_error: '42601',
  undefined_column: '42703',
  undefined_table: '42P01',
  raise_exception: 'P0001',
  data_corrupted: 'XX001',
}

describe('isTransient', () => {
  for (const [name, code] of Object.entries(TRANSIENT)) {
    it(`is true for ${name} (${code})`, () => {
      expect(isTransient(server(code))).to.equal(true)
      expect(TRANSIENT_SQLSTATES[code]).to.equal(name)
      expect(isRowsFault(server(code))).to.equal(false)
    })
  }

  it('has no others', () => {
    expect(Object.keys(TRANSIENT_SQLSTATES).sort()).to.deep.equal(Object.values(TRANSIENT).sort())
  })

  for (const [name, code] of Object.entries(PERMANENT)) {
    it(`is false for ${name} (${code})`, () => {
      expect(isTransient(server(code))).to.equal(false)
    })
  }

  for (const code of [
    'EAI_AGAIN',
    'ECONNABORTED',
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTDOWN',
    'EHOSTUNREACH',
    'ENETDOWN',
    'ENETRESET',
    'ENETUNREACH',
    'ENOTCONN',
    'ENOTFOUND',
    'EPIPE',
    'ERR_STREAM_DESTROYED',
    'ERR_STREAM_PREMATURE_CLOSE',
    'ERR_STREAM_WRITE_AFTER_END',
    'ETIMEDOUT',
  ]) {
    it(`is true for ${code}`, () => {
      expect(isTransient(socket(code))).to.equal(true)
    })
  }

  it('is true for a Unix socket that is gone, and not for a file that is', () => {
    const missing = (syscall: string) =>
      Object.assign(new Error(`${syscall} ENOENT`), { code: 'ENOENT', syscall })
    expect(isTransient(missing('connect'))).to.equal(true)
    expect(isTransient(missing('open'))).to.equal(false)
  })

  for (const code of ['EACCES', 'CERT_HAS_EXPIRED', 'ERR_INVALID_ARG_TYPE']) {
    it(`is false for ${code}`, () => {
      expect(isTransient(socket(code))).to.equal(false)
    })
  }

  for (const message of [
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'Query read timeout',
    'received invalid response: 7f', // pg, where the network has changed a byte
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
  ]) {
    it(`is true for the driver's message "${message}"`, () => {
      expect(isTransient(new Error(message))).to.equal(true)
    })
  }

  it('is false for other messages, for values that are not errors, and for a bug', () => {
    for (const thrown of [
      new Error('message'),
      new TypeError('x is not a function'),
      'Connection terminated',
      null,
      undefined,
    ])
      expect(isTransient(thrown)).to.equal(false)
  })

  it('is true for a deadline that has passed', () => {
    expect(isTransient(new DeadlineError(100))).to.equal(true)
  })

  it('is true for a worker that Citus has lost, and hides no SQLSTATE then', () => {
    const lost = Object.assign(server('XX000'), {
      message: 'failure on connection marked as essential: worker-1:5432',
    })
    expect(isTransient(lost)).to.equal(true)
    expect(isRowsFault(lost)).to.equal(false)
    expect(mayHideSqlState(lost)).to.equal(false)
    expect(isTransient(server('XX000'))).to.equal(false)
    expect(mayHideSqlState(server('XX000'))).to.equal(true)
    for (const other of [server('23505'), server('XX001'), socket('ECONNRESET'), undefined])
      expect(mayHideSqlState(other)).to.equal(false)
  })

  it('judges several addresses that were tried by the worst of them', () => {
    const refused = socket('ECONNREFUSED')
    expect(isTransient(new AggregateError([refused, socket('ETIMEDOUT')]))).to.equal(true)
    expect(isTransient(new AggregateError([refused, socket('EACCES')]))).to.equal(false)
    expect(isTransient(new AggregateError([]))).to.equal(false)
  })
})

describe('isRowsFault', () => {
  for (const code of [
    '22P02',
    '22003',
    '22021',
    '23502',
    '23503',
    '23505',
    '23514',
    '23P01',
    '44000',
    '54000',
    'P0001',
    'P0004',
    '38000',
    '39004',
  ])
    it(`is true for ${code}`, () => {
      expect(isRowsFault(server(code))).to.equal(true)
      expect(isTransient(server(code))).to.equal(false)
    })

  for (const code of ['42501', '42P01', '42703', '25006', '0A000', 'XX000', '3F000', '28P01'])
    it(`is false for ${code}`, () => {
      expect(isRowsFault(server(code))).to.equal(false)
    })

  it('is true for any permanent error whose context names a row or a function', () => {
    for (const code of ['42P01', '42883', '42501', '3F000', '0A000', 'XX000', '55000']) {
      for (const where of ['COPY t, line 3: "x"', 'PL/pgSQL function route() line 2 at EXECUTE']) {
        expect(isRowsFault(Object.assign(server(code), { where })), `${code} ${where}`).to.equal(true)
      }
    }
    for (const code of ['40001', '57014', '53200', 'XX001', '28P01']) {
      const where = 'PL/pgSQL function route() line 2 at EXECUTE'
      expect(isRowsFault(Object.assign(server(code), { where })), code).to.equal(false)
    }
  })

  it('is true for errors while a statement ran, and false for those of its parser or planner', () => {
    const running = { routine: 'RangeVarGetRelidExtended' }
    expect(isRowsFault(Object.assign(server('42P01'), running))).to.equal(true)
    expect(isRowsFault(Object.assign(server('42P01'), running, { position: '13' }))).to.equal(false)
    expect(isRowsFault(Object.assign(server('XX000'), { routine: 'parse_hstore' }))).to.equal(true)
    expect(isRowsFault(Object.assign(server('XX000'), { routine: 'relation_open' }))).to.equal(false)
    expect(isRowsFault(Object.assign(server('42501'), { routine: 'aclcheck_error' }))).to.equal(false)
  })

  it("is false for errors that are not the server's", () => {
    expect(isRowsFault(socket('ECONNRESET'))).to.equal(false)
    expect(isRowsFault(new Error('22P02'))).to.equal(false)
  })
})
