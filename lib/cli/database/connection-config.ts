import type { ConnectionParameters } from '../../connection-string/connection-parameters.ts'
import { parseConnection, unreadService } from '../../connection-string/parse-connection.ts'
import { ConnectionStringError } from '../../connection-string/settings-error.ts'
import { type ExitError, usageError } from '../exit-error.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads a connection string, or PG* alone, and adds what psql takes from the environment for its session.
 * @param source the option or variable that the string comes from
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 * @throws ExitError that repeats nothing that may be a piece of a password
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

/** For the embedded server, the variables say how values are read, and nothing of where it is or how it is reached. */
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

/** What decides how texts of dates and times are read; the values that are stored are those of psql's \copy then. */
function sessionOptions(env: Environment): string[] {
  return Object.entries({ TimeZone: env.PGTZ, DateStyle: env.PGDATESTYLE }).flatMap(([name, value]) =>
    value ? [`-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`] : [],
  )
}
