import { expect } from 'chai'
import { Screen } from '../../../bench/picture/screen.ts'
import { terminalSvg } from '../../../bench/picture/svg.ts'

describe('the picture of a load', () => {
  it('keeps every line of a terminal with the time for which it was there', () => {
    const screen = new Screen()
    screen.write('$ load\r\n', 0)
    screen.write('\x1b[?25l\x1b[1G█░░  10%\x1b[0K', 10)
    screen.write('\x1b[1G██░  7%\x1b[0K', 20)
    screen.write('\x1b[1G\x1b[0J┌─┐\r\n└─┘\r\n\x1b[?25h', 30)
    expect(screen.spans()).to.deep.equal([
      { row: 1, text: '█░░  10%', fromMs: 10, toMs: 20 },
      { row: 1, text: '██░  7%', fromMs: 20, toMs: 30 },
      { row: 0, text: '$ load', fromMs: 0, toMs: undefined },
      { row: 1, text: '┌─┐', fromMs: 30, toMs: undefined },
      { row: 2, text: '└─┘', fromMs: 30, toMs: undefined },
    ])
  })

  it('shows the end where nothing moves, hides what was gone by then, and escapes the text', () => {
    const svg = terminalSvg(
      [
        { row: 1, text: '50%', fromMs: 10, toMs: 20 },
        { row: 0, text: 'a < b & c', fromMs: 0, toMs: undefined },
      ],
      { title: 'A <load>', durationMs: 30 },
    )
    expect(svg).to.match(/<text [^>]*class="gone"[^>]*>50%<\/text>/)
    expect(svg).to.match(/<text [^>]*class="command">a &lt; b &amp; c<\/text>/)
    expect(svg).to.include('<title>A &lt;load&gt;</title>')
    expect(svg).to.include('prefers-color-scheme:dark').and.to.include('prefers-reduced-motion:reduce')
  })
})
