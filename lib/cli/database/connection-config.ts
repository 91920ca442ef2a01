import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import { parseConnection, unreadService } from '../../connection-string/parse-connection.ts'
import { ConnectionStringError } from '../../connection-string/settings-error.ts'
import { type ExitError, usageError } from '../exit-error.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads a connection string, or the PG* variables alone, and adds what psql takes from the environment.
 * @param source the option or variable that has the string
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 * @throws ExitError without any piece of the password
 */
export function connectionConfig(
  text: string | undefined,
  source: string,
  env: Environment,
): ConnectionParameters {
  try {
    const parameters = parseConnection(text, source, env)
    const options = [parameters.options ?? '', ...sessionOptions(env)].join(' ').trim()
    return {
      ...parameters,
      applicationName: parameters.applicationName ?? 'pg-batch',
      ...(options === '' ? {} : { options }),
    }
  } catch (error) {
    throw error instanceof ConnectionStringError ? usageError(error.message, error) : error
  }
}

/** Of the PG* variables, the embedded server uses only those that say how values are read. */
export function embeddedConfig(connectionString: string, env: Environment): ConnectionParameters {
  const { PGTZ, PGDATESTYLE, PGOPTIONS, PGAPPNAME } = env
  return connectionConfig(connectionString, 'the embedded server', {
    PGTZ,
    PGDATESTYLE,
    PGOPTIONS,
    PGAPPNAME,
  })
}

export function serviceError(source: string): ExitError {
  return usageError(unreadService(source).message)
}

/** Returns true if PGDATESTYLE says that dates such as 1/2/2026 begin with the day. */
export function isDayFirst({ PGDATESTYLE = '' }: Environment): boolean {
  return /\b(dmy|euro)/i.test(PGDATESTYLE)
}

/**
 * Returns the settings that decide how dates and times are read. The values stored are then those of psql's
 * \copy.
 */
function sessionOptions(env: Environment): string[] {
  return Object.entries({ TimeZone: env.PGTZ, DateStyle: env.PGDATESTYLE }).flatMap(([name, value]) =>
    value ? [`-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`] : [],
  )
}
