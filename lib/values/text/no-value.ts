/** Texts by which other programs say that there is no value. A message may name them. */
export const NO_VALUE = /^(null|nil|none|n\/?a|#n\/a|nan|unknown|\\n|0000-00-00( 00:00:00)?|[-.?]+)$/i
