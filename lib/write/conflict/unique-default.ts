import type { Column } from '../../types.ts'

/** Returns true when the DEFAULT differs for each row: the next number of a sequence, or a random value. */
export function isUniqueDefault({ defaultSql, identity }: Column): boolean {
  if (identity !== 'none') return true
  return (
    defaultSql === undefined ||
    /^([\w"]+\.)?(nextval|gen_random_uuid|uuidv[47]|uuid_generate_v\d\w*)\(/.test(defaultSql)
  )
}
