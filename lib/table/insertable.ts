import type { Column } from '../types.ts'

/** INSERT refuses values for other columns (COPY would take them for an identity): only the server fills them. */
export function isInsertable({ generated, identity }: Pick<Column, 'generated' | 'identity'>): boolean {
  return !generated && identity !== 'always'
}
