import { EmbeddedServerFailed, EmbeddedServerMissing } from '../../embedded/embedded-errors.ts'
import { PgBatchError } from '../../errors.ts'
import { shellWord } from '../../sources/shell-word.ts'
import { FormatUnknown, SourceError } from '../../sources/source-error.ts'
import { dataError, ExitError, usageError } from '../exit-error.ts'
import { missingFileHint } from '../files/missing-file.ts'

/** Returns the line and the status for an error that can be expected. Throws other errors again. */
export function explain(error: unknown, args: { replay?: boolean } = {}, showsValues = false): ExitError {
  if (error instanceof ExitError) return error
  if (error instanceof FormatUnknown) return usageError(error.message, error)
  // replay has none of the options that say how a file is read
  if (error instanceof SourceError) {
    const example = showsValues && error.example !== undefined ? ` (${error.example})` : ''
    return dataError(args.replay ? error.fault : `${error.message}${example}`, error)
  }
  if (error instanceof EmbeddedServerMissing) return usageError(error.message, error)
  if (error instanceof EmbeddedServerFailed) return dataError(error.message, error)
  if (error instanceof PgBatchError) return dataError(error.reason, error)
  if (error instanceof AggregateError && error.errors.length > 0)
    return explain(error.errors[0], args, showsValues)
  const { code, path, syscall } = error as NodeJS.ErrnoException
  if (code !== undefined && FILE_FAULTS[code] && syscall !== 'connect') {
    return usageError(`${path ?? 'the file'}: ${FILE_FAULTS[code]}${fileHint(code, path)}`, error)
  }
  // an error of the server (five characters) or of the socket; neither contains the password
  if (code !== undefined) return dataError(`the database cannot be used: ${(error as Error).message}`, error)
  if (CONNECTION_LOST.test((error as Error).message)) {
    return dataError(`the connection to the database broke: ${(error as Error).message}`, error)
  }
  throw error
}

/** Messages of pg that come without a code. */
const CONNECTION_LOST = /^(Connection terminated|Client has encountered a connection error)/

/** Returns how to load what an address on the web names, or what the name of a missing file may stand for. */
function fileHint(code: string, path: string | undefined): string {
  if (code !== 'ENOENT' || path === undefined) return ''
  return /^(https?|ftp):/.test(path)
    ? `; load it by: curl -fsSL ${shellWord(path)} | pg-batch load - --table TABLE`
    : missingFileHint(path)
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'no such file',
}
