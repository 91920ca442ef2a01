import type { PgType } from '../../types.ts'
import { arrayOf } from './array.ts'
import { boolean } from './boolean.ts'
import type { Codec } from './codec.ts'
import { macaddr, macaddr8 } from './network/mac-address.ts'
import { cidr, inet } from './network/network.ts'
import { float4, float8 } from './numbers/float.ts'
import { int2, int4, int8 } from './numbers/integer.ts'
import { numeric } from './numbers/numeric.ts'
import { prepareValue } from './parameter.ts'
import { date } from './temporal/date.ts'
import { interval } from './temporal/interval.ts'
import { time, timetz } from './temporal/time.ts'
import { timestamp, timestamptz } from './temporal/timestamp.ts'
import { bytea } from './text/bytea.ts'
import { json, jsonb, name, text } from './text/text.ts'
import { uuid } from './text/uuid.ts'

/** Codecs by the name of a type in pg_catalog. The type "char" is not bpchar, and has no codec. */
export const BUILT_IN: ReadonlyMap<string, Codec> = new Map(
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

/** For types without an exact binary form here: the server's parser reads the text that `pg` would send. */
const TEXT_ONLY: Codec = { text: prepareValue }

/**
 * Returns the codec of a type. A domain has that of its base: the server checks the domain with either
 * format.
 */
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
