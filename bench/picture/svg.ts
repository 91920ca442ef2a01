import type { LineSpan } from './screen.ts'

const LINE_HEIGHT = 20
const CHARACTER_WIDTH = 8.4
const MARGIN = 18
const FONT = "14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

/** How long the end stays to be looked at before the picture begins anew. */
const HOLD_MS = 8000

export interface PictureOptions {
  /** What a screen reader says. */
  readonly title: string
  readonly durationMs: number
}

/**
 * Draws the lines of a terminal, each at the time at which it was there, over and over. A viewer without
 * animations, or one that asks for less motion, sees the end. Text is selectable; colours follow a light or a
 * dark page.
 */
export function terminalSvg(spans: readonly LineSpan[], { title, durationMs }: PictureOptions): string {
  const rows = Math.max(...spans.map(({ row }) => row)) + 1
  const columns = Math.max(...spans.map(({ text }) => text.length))
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * MARGIN)
  const height = rows * LINE_HEIGHT + 2 * MARGIN
  const cycleMs = Math.round(durationMs) + HOLD_MS
  const percent = (ms: number) => Number(((100 * ms) / cycleMs).toFixed(2))
  const keyframes: string[] = []
  const lines = spans.map(({ row, text, fromMs, toMs }, index) => {
    const from = percent(fromMs)
    const to = toMs === undefined ? 100 : percent(toMs)
    const always = from === 0 && toMs === undefined
    if (!always) {
      keyframes.push(
        `@keyframes l${index}{0%{opacity:0}${from}%{opacity:1}${to === 100 ? '' : `${to}%{opacity:0}`}}`,
      )
    }
    const style = always ? '' : ` style="animation-name:l${index}"`
    const kind = `${row === 0 ? 'command' : ''}${toMs === undefined ? '' : ' gone'}`.trim()
    const y = MARGIN + row * LINE_HEIGHT + 14
    return `<text x="${MARGIN}" y="${y}"${kind ? ` class="${kind}"` : ''}${style}>${escapeXml(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" xml:space="preserve">
<title>${escapeXml(title)}</title>
<style>
rect{fill:#f6f8fa;stroke:#d0d7de}
text{font:${FONT};fill:#1f2328;white-space:pre;animation:${cycleMs}ms step-end infinite}
.command{font-weight:bold}
.gone{opacity:0}
@media (prefers-color-scheme:dark){rect{fill:#161b22;stroke:#30363d}text{fill:#e6edf3}}
@media (prefers-reduced-motion:reduce){text{animation:none}}
${keyframes.join('\n')}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${lines.join('\n')}
</svg>
`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
