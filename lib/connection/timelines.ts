import type { PgClientLike } from './pg-types.ts'
import { queryText } from './query-text.ts'
import { connectionSurvives, isServerError } from './server-error.ts'

/** The timeline of a server's write-ahead log. */
export interface Timeline {
  /** Eight hexadecimal digits. */
  readonly timeline: string
  /** The major version of the server: pg_upgrade begins with the first timeline again. */
  readonly major: string
}

/**
 * The newest timeline that was seen. A server with an older one is a former primary: another was promoted
 * since. One that is started again takes writes, and they are lost.
 * @see https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES
 */
export class Timelines {
  #newest: Timeline | undefined

  note({ timeline, major }: Timeline): void {
    if (!this.isOver({ timeline, major })) this.#newest = { timeline, major }
  }

  /** Returns true for the timeline of a former primary. */
  isOver({ timeline, major }: Timeline): boolean {
    return this.#newest?.major === major && timeline < this.#newest.timeline
  }
}

/** SQL for the timeline of a primary, and its major version. It fails on a standby. */
export const TIMELINE =
  'pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) || ' +
  "pg_catalog.left(pg_catalog.current_setting('server_version_num'), 2)"

/** How many characters of the name of a file of the write-ahead log are its timeline, and all of them. */
const TIMELINE_DIGITS = 8
const WALFILE_DIGITS = 24

/** Reads the value of {@link TIMELINE}. */
export function readTimeline(text: string): Timeline {
  return { timeline: text.slice(0, TIMELINE_DIGITS), major: text.slice(WALFILE_DIGITS) }
}

/** Returns the timeline of a primary; undefined on a standby, and on a server that does not report it. */
export async function timelineOf(client: PgClientLike): Promise<Timeline | undefined> {
  try {
    const { rows } = await queryText(
      client,
      `SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN ${TIMELINE} END AS timeline`,
    )
    const text = rows[0]?.timeline as string | null | undefined
    return text ? readTimeline(text) : undefined
  } catch (error) {
    if (!isServerError(error) || !connectionSurvives(error)) throw error
    return undefined
  }
}
