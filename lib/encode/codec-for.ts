import type { PgType } from '../types.ts'
import type { Codec } from './codec.ts'
import { arrayOf } from './codecs/array.ts'
import { boolean } from './codecs/boolean.ts'
import { bytea } from './codecs/bytea.ts'
import { date } from './codecs/date.ts'
import { float4, float8 } from './codecs/float.ts'
import { int2, int4, int8 } from './codecs/integer.ts'
import { interval } from './codecs/interval.ts'
import { macaddr, macaddr8 } from './codecs/mac-address.ts'
import { cidr, inet } from './codecs/network.ts'
import { numeric } from './codecs/numeric.ts'
import { json, jsonb, name, text } from './codecs/text.ts'
import { time, timetz } from './codecs/time.ts'
import { timestamp, timestamptz } from './codecs/timestamp.ts'
import { uuid } from './codecs/uuid.ts'
import { prepareValue } from './parameter.ts'

/** By the name of a type in pg_catalog. The type "char" is not bpchar, and has no codec. */
const BUILT_IN: ReadonlyMap<string, Codec> = new Map(
  Object.entries({
    bool: boolean,
    int2,
    int4,
    int8,
    float4,
    float8,
    numeric,
    text,
    varchar: text,
    bpchar: text,
    name,
    bytea,
    uuid,
    date,
    time,
    timetz,
    timestamp,
    timestamptz,
    interval,
    json,
    jsonb,
    inet,
    cidr,
    macaddr,
    macaddr8,
  }),
)

/** Types without an exact binary form here: the server's parser reads what `pg` would send. */
const TEXT_ONLY: Codec = { text: prepareValue }

/** The codec of a type; a domain's is its base's, since the server checks the domain on both forms. */
export function codecFor(type: PgType): Codec {
  switch (type.kind) {
    case 'domain':
      return type.base ? codecFor(type.base) : TEXT_ONLY
    case 'enum':
      return text
    case 'array':
      return type.element ? arrayOf(codecFor(type.element), type.element.oid) : TEXT_ONLY
    case 'base':
      if (type.builtIn) return BUILT_IN.get(type.name) ?? TEXT_ONLY
      return type.name === 'citext' ? text : TEXT_ONLY
    default:
      return TEXT_ONLY
  }
}
