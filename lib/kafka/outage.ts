import { PgBatchError } from '../errors.ts'
import { isError } from '../values/is-error.ts'
import { isTransient } from '../write/faults/transient.ts'

/** Errors that a retry does not change, by Kafka's names. */
const PERMANENT = new RegExp(
  [
    'AUTHORIZATION_FAILED',
    'SASL',
    'UNSUPPORTED',
    'INVALID_(GROUP_ID|TOPIC_EXCEPTION|SESSION_TIMEOUT|CONFIG)',
    'INCONSISTENT_GROUP_PROTOCOL',
    'FENCED_INSTANCE_ID',
    'GROUP_MAX_SIZE_REACHED',
  ].join('|'),
)

interface ClientError {
  readonly code: string
  readonly apiId?: string
  readonly errors?: readonly unknown[]
  readonly cause?: unknown
}

/** Returns true for an error of the Kafka client. */
export function isKafkaError(error: unknown): error is Error & ClientError {
  return isError(error) && 'code' in error && String(error.code).startsWith('PLT_KFK_')
}

/**
 * Returns true if a retry may succeed: a broker does not answer, a coordinator moves, a topic is being
 * created, or PostgreSQL has a transient failure.
 */
export function mayPass(error: unknown): boolean {
  if (!isKafkaError(error)) return isTransient(error)
  const { code, apiId = '', errors = [], cause } = error
  if (/AUTHENTICATION|UNSUPPORTED/.test(code) || PERMANENT.test(apiId)) return false
  return [...errors, cause].every(inner => !isKafkaError(inner) || mayPass(inner))
}

/** Errors that a member gets while its group rebalances. */
const MOVING = /^(REBALANCE_IN_PROGRESS|ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID)$/

/** Returns true if a rebalance of the group is the reason. */
export function isRebalance(error: unknown): boolean {
  if (!isKafkaError(error)) return false
  const { apiId = '', errors = [], cause } = error
  return MOVING.test(apiId) || [...errors, cause].some(isRebalance)
}

/** Returns true if PostgreSQL has lost commits: the rows are written again by reading them again. */
export function isRegression(error: Error): error is PgBatchError {
  return error instanceof PgBatchError && error.code === 'CHECKPOINT_REGRESSED'
}
