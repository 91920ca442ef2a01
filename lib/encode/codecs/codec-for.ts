import type { PgType } from '../../types.ts'
import { boolean } from './boolean.ts'
import type { FieldCodec } from './codec.ts'
import { hstore } from './extensions/hstore.ts'
import { geometry } from './extensions/postgis/geometry.ts'
import { sparsevec } from './extensions/vector/sparsevec.ts'
import { halfvec, vector } from './extensions/vector/vector.ts'
import { arrayOf } from './nested/array.ts'
import { compositeOf } from './nested/composite.ts'
import { multirangeOf, rangeOf } from './nested/range.ts'
import { macaddr, macaddr8 } from './network/mac-address.ts'
import { cidr, inet } from './network/network.ts'
import { float4, float8 } from './numbers/float.ts'
import { int2, int4, int8 } from './numbers/integer.ts'
import { moneyOf } from './numbers/money.ts'
import { numeric } from './numbers/numeric.ts'
import { oid } from './numbers/oid.ts'
import { pgLsn } from './numbers/pg-lsn.ts'
import { NO_OWN_CODECS, type OwnCodecs } from './own-codec.ts'
import { prepareValue } from './parameter.ts'
import { date } from './temporal/date.ts'
import { interval } from './temporal/interval.ts'
import { time, timetz } from './temporal/time.ts'
import { timestamp, timestamptz } from './temporal/timestamp.ts'
import { bitString } from './text/bit-string.ts'
import { bytea } from './text/bytea.ts'
import { char } from './text/char.ts'
import { json, jsonb, name, text } from './text/text.ts'
import { uuid } from './text/uuid.ts'
import { versionedText } from './text/versioned-text.ts'
import { xml } from './text/xml.ts'

/** Codecs by the name of a type in pg_catalog. The type "char" is not bpchar, which is `char` in SQL. */
export const BUILT_IN: ReadonlyMap<string, FieldCodec> = new Map(
  Object.entries({
    bool: boolean,
    int2,
    int4,
    int8,
    float4,
    float8,
    numeric,
    oid,
    regclass: oid,
    regcollation: oid,
    regconfig: oid,
    regdictionary: oid,
    regnamespace: oid,
    regoper: oid,
    regoperator: oid,
    regproc: oid,
    regprocedure: oid,
    regrole: oid,
    regtype: oid,
    pg_lsn: pgLsn,
    text,
    varchar: text,
    bpchar: text,
    char,
    name,
    bytea,
    bit: bitString,
    varbit: bitString,
    uuid,
    xml,
    date,
    time,
    timetz,
    timestamp,
    timestamptz,
    interval,
    json,
    jsonb,
    jsonpath: versionedText,
    inet,
    cidr,
    macaddr,
    macaddr8,
  }),
)

/** Codecs by the name of an extension and of its type. */
const OF_EXTENSIONS: ReadonlyMap<string, FieldCodec> = new Map(
  Object.entries({
    'citext.citext': text,
    'hstore.hstore': hstore,
    'ltree.ltree': versionedText,
    'ltree.lquery': versionedText,
    'ltree.ltxtquery': versionedText,
    'vector.vector': vector,
    'vector.halfvec': halfvec,
    'vector.sparsevec': sparsevec,
    'postgis.geometry': geometry,
    'postgis.geography': geometry,
  }),
)

/** For types without an exact binary form here: the server's parser reads the text that `pg` would send. */
const TEXT_ONLY: FieldCodec = { text: prepareValue }

/**
 * Returns the codec of a type: the caller's own, or else ours. A domain has that of its base, because the
 * server checks the domain with either format. The parts of ranges and composite types always have ours:
 * they come from a text, and the caller's codec may not read texts.
 */
export function codecFor(type: PgType, own: OwnCodecs = NO_OWN_CODECS): FieldCodec {
  const codec = own.get(type.oid) ?? ourCodecFor(type, own)
  if (!type.isTextOnly || !codec.binary) return codec
  const { binary: _, ...textOnly } = codec
  return textOnly
}

function ourCodecFor(type: PgType, own: OwnCodecs): FieldCodec {
  const { base, element, subtype, attributes } = type
  switch (type.kind) {
    case 'domain':
      return base ? codecFor(base, own) : TEXT_ONLY
    case 'enum':
      return text
    case 'array':
      return element ? arrayOf(codecFor(element, own), element) : TEXT_ONLY
    case 'range':
      return subtype ? rangeOf(codecFor(subtype)) : TEXT_ONLY
    case 'multirange':
      return subtype?.subtype ? multirangeOf(codecFor(subtype.subtype)) : TEXT_ONLY
    case 'composite':
      return attributes
        ? compositeOf(
            attributes,
            attributes.map(part => codecFor(part)),
          )
        : TEXT_ONLY
    case 'base':
      return baseCodecFor(type)
    case 'pseudo':
      return TEXT_ONLY
  }
}

function baseCodecFor({ builtIn, name, extension, monetaryLocale }: PgType): FieldCodec {
  if (!builtIn) return OF_EXTENSIONS.get(`${extension}.${name}`) ?? TEXT_ONLY
  if (name === 'money') return moneyOf(monetaryLocale)
  return BUILT_IN.get(name) ?? TEXT_ONLY
}
