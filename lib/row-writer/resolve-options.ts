import {
  checkAbortSignal,
  checkFunction,
  checkKnownKeys,
  checkObject,
  checkWaitMs,
  integerFrom,
  integerOrInfinityFrom,
  oneOf,
} from '../options/checks.ts'
import { defaultsTo, optional, resolveOptions } from '../options/option-table.ts'
import type { PgBatchWritableOptions } from '../writable/options.ts'
import { checkColumns } from '../writable/resolve/check-table.ts'
import { resolveWritableOptions, WRITABLE_OPTIONS } from '../writable/resolve/resolve-options.ts'
import { NOT_PASSED, type PgRowWriterOptions } from './options.ts'

/** The writer's own options, with their defaults and checks. `PgRowWriterOptions` says what they mean. */
const OWN_OPTIONS = {
  returning: defaultsTo<readonly string[]>([], checkColumns),
  maxCount: defaultsTo(1000, integerFrom(1)),
  maxWaitMs: defaultsTo(5, checkWaitMs),
  maxPending: defaultsTo(10_000, integerOrInfinityFrom(1)),
  method: defaultsTo('auto', oneOf('auto', 'insert')),
  inTransaction: optional(checkFunction<NonNullable<PgRowWriterOptions<never>['inTransaction']>>),
  signal: optional(checkAbortSignal),
}

/** The options that are passed on to the machinery of PgBatchWritable. */
const PASSED = WRITABLE_OPTIONS.filter(name => !(NOT_PASSED as readonly string[]).includes(name))

/** The names of all options. */
const ROW_WRITER_OPTIONS: readonly string[] = [...PASSED, ...Object.keys(OWN_OPTIONS)]

/** The options of a writer: its own, and `write` for what it passes on. */
export type ResolvedRowWriterOptions<Row> = ReturnType<typeof resolveRowWriterOptions<Row, unknown>>

/** @throws TypeError that says what was expected and what came */
export function resolveRowWriterOptions<Row, Returned>(options: PgRowWriterOptions<Row, Returned>) {
  const given = checkObject('options', options)
  checkKnownKeys('PgRowWriter', given, ROW_WRITER_OPTIONS)
  const isOwn = ([name]: [string, unknown]): boolean => name in OWN_OPTIONS
  const entries = Object.entries(given)
  const own = resolveOptions('PgRowWriter', OWN_OPTIONS, Object.fromEntries(entries.filter(isOwn)))
  const passed = Object.fromEntries(entries.filter(entry => !isOwn(entry)))
  const { inTransaction, method, returning, ...queue } = own
  const write = resolveWritableOptions<Row, Row>({
    ...passed,
    method,
    inTransaction,
    rejectLimit: Number.POSITIVE_INFINITY,
  } as unknown as PgBatchWritableOptions<Row, Row>)
  return { ...queue, write: { ...write, rowResults: { returning } } }
}
