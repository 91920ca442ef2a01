import { ownCodec } from '../../encode/codecs/own-codec.ts'
import { checkFunction, checkObject, expectOption, optionError } from '../../options/checks.ts'
import { optional, required, resolveOptions } from '../../options/option-table.ts'
import { parseTableName } from '../../table/identifier.ts'
import type { Codec } from '../../types.ts'
import type { NamedCodec } from '../../write/plan/write-request.ts'

const CODEC_OPTIONS = Object.freeze({
  text: required(checkFunction<Codec['text']>),
  binary: optional(checkFunction<NonNullable<Codec['binary']>>),
})

/** Returns the codecs with the parts of their types' names; the server checks that the types exist. */
export function checkCodecs(name: string, value: unknown): readonly NamedCodec[] {
  return Object.entries(checkObject(name, value)).map(([key, codec]) => {
    const type = parseTableName(key)
    if (!type.schema || type.name === '') {
      throw optionError(
        `Expected each key of \`${name}\` to be a schema, a dot and a type, such as 'public.geometry', ` +
          `got ${JSON.stringify(key)}`,
      )
    }
    return { type, codec: ownCodec(checkCodec(`${name}[${JSON.stringify(key)}]`, codec)) }
  })
}

/** Checks the methods, also inherited ones, and binds them. */
function checkCodec(name: string, value: unknown): Codec {
  expectOption<Codec>(name, value, 'an object', typeof value === 'object' && value !== null)
  const { text, binary } = value
  const given = Object.getPrototypeOf(value) === Object.prototype ? value : { text, binary }
  const checked = resolveOptions(name, CODEC_OPTIONS, given, `${name}.`)
  return {
    text: checked.text.bind(value),
    ...(checked.binary ? { binary: checked.binary.bind(value) } : {}),
  }
}
