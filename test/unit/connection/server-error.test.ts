import { expect } from 'chai'
import {
  connectionSurvives,
  copyContext,
  isServerError,
  refusedParameter,
  refusesValue,
  type ServerError,
} from '../../../lib/connection/server-error.ts'

const serverError = (fields: object) =>
  Object.assign(new Error('refused'), { severity: 'ERROR', code: '22P02' }, fields) as ServerError

describe("the server's errors", () => {
  it("are distinguished from a socket's and a driver's by SQLSTATE and severity", () => {
    expect(isServerError(serverError({}))).to.equal(true)
    expect(isServerError(Object.assign(new Error('x'), { code: 'EPIPE', severity: 'ERROR' }))).to.equal(true)
    expect(isServerError(Object.assign(new Error('x'), { code: 'ECONNRESET' }))).to.equal(false)
    expect(isServerError(Object.assign(new Error('x'), { code: 'ERR_X', severity: 'ERROR' }))).to.equal(false)
    expect(isServerError({ code: '22P02', severity: 'ERROR' })).to.equal(false)
    expect(isServerError(undefined)).to.equal(false)
  })

  it('end the connection when FATAL or PANIC, and only then', () => {
    expect(
      ['ERROR', 'FATAL', 'PANIC'].map(severity => connectionSurvives(serverError({ severity }))),
    ).to.deep.equal([true, false, false])
    expect(connectionSurvives(new Error('Connection terminated unexpectedly'))).to.equal(false)
  })

  it('end the connection by their code, whatever the language of the severity', () => {
    expect(connectionSurvives(serverError({ severity: 'ВАЖНО', code: '57P01' }))).to.equal(false)
  })

  const COLUMN = 'COPY t, line 2, column price: "x"'
  const REFUSALS: readonly [code: string, where: string | undefined, expected: boolean][] = [
    ['42601', COLUMN, true],
    ['3F000', 'COPY t, Zeile 17, Spalte Preis: »x«', true],
    ['08P01', 'COPY t, line 2, column price', true],
    ['42601', 'unnamed portal parameter $1', true],
    ['08P01', undefined, false],
    ['42P01', undefined, false],
    ['42P01', 'COPY t, line 2', false],
    ['42P01', 'PL/pgSQL function f() line 3 at SQL statement\nCOPY t, line 2', false],
    ['42P01', 'SQL statement "SELECT $1"\nPL/pgSQL function f() line 3 at SQL statement', false],
    ['57014', COLUMN, false],
    ['57P01', COLUMN, false],
    ['53200', COLUMN, false],
    ['25P03', COLUMN, false],
    ['40001', 'unnamed portal parameter $1', false],
    ['58030', COLUMN, false],
  ]
  for (const [code, where, expected] of REFUSALS) {
    it(`are ${expected ? '' : 'not '}the refusal of a value: ${code}, ${JSON.stringify(where)}`, () => {
      expect(refusesValue(serverError({ code, where }))).to.equal(expected)
    })
  }

  const PARAMETERS: readonly [where: string | undefined, expected: number | undefined][] = [
    [undefined, undefined],
    ["unnamed portal parameter $12 = '...'", 11],
    ["unnamed portal parameter $2 = 'it''s $7 = ''x'", 1],
    ['unbenanntes Portal Parameter $3', 2],
    ['unnamed portal parameter $1', 0],
    ["PL/pgSQL function f(integer) line 3 at RAISE\nunnamed portal parameter $2 = '1'", 1],
    ["JSON data, line 1: {$5\nunnamed portal parameter $7 = '...'", 6],
    ["unnamed portal parameter $2 = 'a\nb $3'", 1],
    ["unnamed portal with parameters: $1 = '1'", undefined],
    ["unnamed portal with parameters: $1 = 'a\nb', $2 = 'c'", undefined],
    ["unnamed portal with parameters: $1 = '1', $2 = '2'", undefined],
    ["未命名的入口参数为：$1 = '1'", undefined],
    ['SQL statement "SELECT $1"\nPL/pgSQL function f() line 3 at SQL statement', undefined],
    ['COPY t, line 2, column price: "$1"', undefined],
  ]
  for (const [where, expected] of PARAMETERS) {
    it(`names ${expected === undefined ? 'no parameter' : `parameter ${expected}`}: ${JSON.stringify(where)}`, () => {
      expect(refusedParameter(serverError({ where }))).to.equal(expected)
    })
  }

  const COLUMNS = ['a', 'c', 'col', 'col:on', 'price', 'Preis', 'цена']
  const CONTEXTS: readonly [where: string | undefined, expected: object | undefined, table?: string][] = [
    [undefined, undefined],
    ['SQL statement "SELECT 1"', undefined],
    ['COPY t, line 2', { line: 2 }],
    ['COPY t, line 2, column price: "x"', { line: 2, column: 'price' }],
    ['COPY t, line 2, column price: null input', { line: 2, column: 'price' }],
    ['COPY t, line 2, column price', { line: 2, column: 'price' }],
    ['COPY t, Zeile 17, Spalte Preis: »x«', { line: 17, column: 'Preis' }],
    ['COPY t, строка 3, столбец цена: "x"', { line: 3, column: 'цена' }],
    ['PL/pgSQL function f() line 3 at RAISE\nCOPY t, line 40', { line: 40 }],
    ['COPY t, line 2, column a: "\nCOPY u, line 9"', { line: 2, column: 'a' }],
    ['COPY a, b, line 2, column c: "x"', { line: 2, column: 'c' }, 'a, b'],
    ['COPY u, line 2, column c: "x"', undefined],
    ['COPY t, ligne 2, colonne price : « x »', { line: 2, column: 'price' }],
    ['COPY t, line 2, column col:on: "x"', { line: 2, column: 'col:on' }],
  ]
  for (const [where, expected, table = 't'] of CONTEXTS) {
    it(`give the line and column of a COPY: ${JSON.stringify(where)}`, () => {
      expect(copyContext(serverError({ where }), table, COLUMNS)).to.deep.equal(expected)
    })
  }
})
