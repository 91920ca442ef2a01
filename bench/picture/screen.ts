/** A line of a terminal, as it was for some time. */
export interface LineSpan {
  readonly row: number
  readonly text: string
  readonly fromMs: number
  /** Undefined: it was there at the end. */
  readonly toMs: number | undefined
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal reads is control characters
const SEQUENCE = /\x1b\[([?\d;]*)([A-Za-z])/y

/**
 * The screen of a terminal that is never full. It knows what a progress bar needs: carriage return, line
 * feed, and the sequences that move the cursor up or to a column, and erase to the end of the line or screen.
 * Colours are left out.
 */
export class Screen {
  #lines: string[] = ['']
  #row = 0
  #column = 0
  readonly #since: number[] = [0]
  readonly #spans: LineSpan[] = []

  write(text: string, atMs: number): void {
    const before = [...this.#lines]
    for (let at = 0; at < text.length; ) {
      SEQUENCE.lastIndex = at
      const found = SEQUENCE.exec(text)
      if (found) {
        this.#control(found[2]!, found[1]!)
        at = SEQUENCE.lastIndex
      } else {
        const character = String.fromCodePoint(text.codePointAt(at)!)
        this.#put(character)
        at += character.length
      }
    }
    for (let row = 0; row < Math.max(before.length, this.#lines.length); row++) {
      const old = before[row] ?? ''
      if (old === (this.#lines[row] ?? '')) continue
      if (old.trim() !== '') this.#spans.push({ row, text: old, fromMs: this.#since[row] ?? 0, toMs: atMs })
      this.#since[row] = atMs
    }
  }

  /** Returns every line that was to be seen, those of the end last. */
  spans(): LineSpan[] {
    const last = this.#lines.map(
      (text, row): LineSpan => ({ row, text, fromMs: this.#since[row] ?? 0, toMs: undefined }),
    )
    return [...this.#spans, ...last.filter(({ text }) => text.trim() !== '')]
  }

  #control(command: string, parameters: string): void {
    const count = Number(parameters) || 1
    const line = this.#lines[this.#row]!
    if (command === 'G') this.#column = count - 1
    else if (command === 'A') this.#row = Math.max(0, this.#row - count)
    else if (command === 'K' || command === 'J') {
      this.#lines[this.#row] = line.slice(0, this.#column)
      if (command === 'J') this.#lines.length = this.#row + 1
    }
  }

  #put(character: string): void {
    if (character === '\r') this.#column = 0
    else if (character === '\n') {
      this.#row++
      this.#lines[this.#row] ??= ''
    } else {
      const line = this.#lines[this.#row]!.padEnd(this.#column)
      this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1)
      this.#column++
    }
  }
}
