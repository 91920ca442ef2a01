/** Returns a text as one word of a shell command, quoted if needed. */
export function shellWord(text: string): string {
  return /^[\w./=,][\w./=,-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
