import { isError } from '../values/is-error.ts'
import { isTransient } from '../write/faults/transient.ts'

/** What trying again will not change, by Kafka's names of its errors. */
const PERMANENT =
  /AUTHORIZATION_FAILED|SASL|ILLEGAL_SASL|UNSUPPORTED|INVALID_(GROUP_ID|TOPIC_EXCEPTION|SESSION_TIMEOUT|CONFIG)|INCONSISTENT_GROUP_PROTOCOL|FENCED_INSTANCE_ID|GROUP_MAX_SIZE_REACHED/

interface ClientError {
  readonly code: string
  readonly apiId?: string
  readonly errors?: readonly unknown[]
  readonly cause?: unknown
}

/** True for what the client throws. */
export function isKafkaError(error: unknown): error is Error & ClientError {
  return isError(error) && 'code' in error && String(error.code).startsWith('PLT_KFK_')
}

/**
 * True when the same may go well at another time: a broker that does not answer, a coordinator that moves, a topic that
 * is being made; and PostgreSQL's own passing troubles.
 */
export function mayPass(error: unknown): boolean {
  if (!isKafkaError(error)) return isTransient(error)
  const { code, apiId = '', errors = [], cause } = error
  if (/AUTHENTICATION|UNSUPPORTED/.test(code) || PERMANENT.test(apiId)) return false
  return [...errors, cause].every(inner => !isKafkaError(inner) || mayPass(inner))
}

/** What Kafka says to a member while its group shares the partitions out anew. */
const MOVING = /^(REBALANCE_IN_PROGRESS|ILLEGAL_GENERATION|UNKNOWN_MEMBER_ID)$/

/** True when it came in between that the group shares its partitions out anew. */
export function isRebalance(error: unknown): boolean {
  if (!isKafkaError(error)) return false
  const { apiId = '', errors = [], cause } = error
  return MOVING.test(apiId) || [...errors, cause].some(isRebalance)
}
