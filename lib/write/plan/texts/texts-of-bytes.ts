import { connectionSurvives, isServerError } from '../../../connection/server-error.ts'
import type { Transaction } from '../../../connection/transaction/transaction.ts'
import { quoteIdentifier } from '../../../table/identifier.ts'
import type { PgType } from '../../../types.ts'

/** A value in its binary form, of a type that has no text form here. */
export interface BinaryValue {
  readonly type: PgType
  readonly bytes: Buffer
}

/** The most values in one statement. */
const VALUES_AT_ONCE = 500

/**
 * Asks the server for the texts of binary values. Each statement runs under a savepoint, because bytes may be
 * the reason why their row was rejected. A value without a text is missing in the result.
 */
export async function textsOfBytes<Value extends BinaryValue>(
  transaction: Transaction,
  values: readonly Value[],
): Promise<Map<Value, string>> {
  const texts = new Map<Value, string>()
  const ask = async (some: readonly Value[]): Promise<void> => {
    if (some.length <= VALUES_AT_ONCE) {
      const answer = await askServer(transaction, some)
      for (const [index, text] of answer?.entries() ?? []) texts.set(some[index]!, text)
      if (answer || some.length <= 1) return
    }
    const middle = some.length >> 1
    await ask(some.slice(0, middle))
    await ask(some.slice(middle))
  }
  await ask(values)
  return texts
}

/** Resolves to undefined if the server refuses one of the values. */
async function askServer(
  transaction: Transaction,
  values: readonly BinaryValue[],
): Promise<readonly string[] | undefined> {
  const items = values.map(({ type }, index) => `$${index + 1}::${nameOf(type)}::text AS t${index}`)
  transaction.before('SAVEPOINT pg_batch_texts')
  try {
    const { rows } = await transaction.query(
      `SELECT ${items.join(', ')}`,
      values.map(({ bytes }) => bytes),
    )
    transaction.before('RELEASE SAVEPOINT pg_batch_texts')
    return values.map((_, index) => rows[0]![`t${index}`] as string)
  } catch (error) {
    if (!isServerError(error) || !connectionSurvives(error)) throw error
    transaction.before('ROLLBACK TO SAVEPOINT pg_batch_texts; RELEASE SAVEPOINT pg_batch_texts')
    return undefined
  }
}

/**
 * Names of the SQL standard may imply a length: `bit` is bit(1), but pg_catalog."bit" is a bit string of any
 * length.
 */
function nameOf({ builtIn, name, sqlName }: PgType): string {
  return builtIn ? `pg_catalog.${quoteIdentifier(name)}` : sqlName
}
