import { createRequire } from 'node:module'
import { join } from 'node:path'

interface LoadedModule {
  exports: unknown
}

type ModuleFunction = (
  exports: unknown,
  require: (id: string) => unknown,
  module: LoadedModule,
  __filename: string,
  __dirname: string,
) => void

/** What a piece exports: the functions of its modules, by their names. */
type Piece = Readonly<Record<string, ModuleFunction>>

/**
 * Loads the modules of the built command. Its many modules are in few files, the pieces, because it takes
 * 0.3 ms to open one and to take its compiled code from the cache.
 */
export class Pieces {
  readonly #folder: string
  readonly #requirePiece: (file: string) => Piece
  readonly #requireOther: NodeJS.Require
  readonly #loaded = new Map<string, LoadedModule>()

  /**
   * @param folder has the pieces
   * @param requirePiece loads a file once
   */
  constructor(folder: string, requirePiece: (file: string) => unknown) {
    this.#folder = folder
    this.#requirePiece = requirePiece as (file: string) => Piece
    this.#requireOther = createRequire(join(folder, 'main.js'))
  }

  /** @param id a file and the name of a module in it, `file#name`; what has no `#` is for Node.js */
  readonly require = (id: string): unknown => {
    const known = this.#loaded.get(id)
    if (known) return known.exports
    const [name, part] = id.split('#', 2)
    if (part === undefined) return this.#requireOther(id)
    const file = join(this.#folder, name!)
    const loaded: LoadedModule = { exports: {} }
    this.#loaded.set(id, loaded)
    this.#requirePiece(file)[part]!(loaded.exports, this.require, loaded, file, this.#folder)
    return loaded.exports
  }
}
