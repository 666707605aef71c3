import { yardstick } from './contender.ts'
import type { BenchResult, Entry, WorkloadResult } from './result.ts'

/**
 * One panel a workload, one bar a contender: the median of its times, with a line from the least to the greatest. Each
 * panel has its own scale, which begins at zero. A bar that would shrink all others is cut off, and says so.
 */

const panelWidth = 600
const panelsInRow = 2
const barHeight = 18
const rowHeight = 26
const headHeight = 58
const nameWidth = 136
const valueWidth = 210
const barWidth = panelWidth - nameWidth - valueWidth - 24
const margin = 24
const titleHeight = 64

const ink = '#1f2430'
const muted = '#667085'
const refoldColor = '#2f6fde'
const yardstickColor = '#475467'
const otherColor = '#b6bdc9'

/** The chart as an SVG document. */
export function drawChart(result: BenchResult): string {
  const panels = result.workloads.map((workload) => drawPanel(workload))
  const parts: string[] = []
  let top = titleHeight
  for (let first = 0; first < panels.length; first += panelsInRow) {
    const row = panels.slice(first, first + panelsInRow)
    for (const [column, panel] of row.entries()) {
      const left = margin + column * (panelWidth + margin)
      parts.push(`<g transform="translate(${left} ${top})">${panel.content}</g>`)
    }
    top += Math.max(...row.map(({ height }) => height)) + margin
  }
  const width = margin + Math.min(panelsInRow, Math.max(1, panels.length)) * (panelWidth + margin)
  const { processor, cores, node } = result.machine
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" font-family="system-ui, sans-serif" font-size="13" fill="${ink}">
<rect width="${width}" height="${top}" fill="#ffffff"/>
<text x="${margin}" y="30" font-size="18" font-weight="600">${escapeMarkup(`${result.events.toLocaleString('en')} events: seconds, less is better`)}</text>
<text x="${margin}" y="50" fill="${muted}">${escapeMarkup(`median of ${result.rounds} round${result.rounds === 1 ? '' : 's'}, line from least to greatest · ${cores} cores, ${processor} · Node ${node} · ${result.startedAt.slice(0, 10)}`)}</text>
${parts.join('\n')}
</svg>
`
}

function drawPanel(workload: WorkloadResult): { readonly content: string; readonly height: number } {
  const shown = workload.entries.filter(({ figures }) => figures !== null)
  const limit = scaleOf(shown)
  const bars = shown.map((entry, index) => drawBar(entry, headHeight + index * rowHeight, limit))
  const title = `<text y="20" font-size="15" font-weight="600">${escapeMarkup(workload.workload)}</text>`
  const summary = `<text y="40" fill="${muted}">${escapeMarkup(workload.summary)}</text>`
  return { content: title + summary + bars.join(''), height: headHeight + shown.length * rowHeight }
}

/** Seconds at the right end: all there is, but not beyond four times what the yardstick or Refold took. */
function scaleOf(entries: readonly Entry[]): number {
  const seconds = (entry: Entry) => entry.figures!.seconds.max
  const all = Math.max(0, ...entries.map(seconds))
  const compared = entries.filter(({ contender }) => contender === yardstick || contender.startsWith('refold'))
  return compared.length === 0 ? all : Math.min(all, 4 * Math.max(...compared.map(seconds)))
}

function drawBar({ contender, figures }: Entry, y: number, limit: number): string {
  const { seconds, ratio } = figures!
  const at = (value: number) => nameWidth + (Math.min(value, limit) / limit) * barWidth
  const cut = seconds.median > limit
  const color = contender.startsWith('refold') ? refoldColor : contender === yardstick ? yardstickColor : otherColor
  const middle = y + barHeight / 2
  const width = Math.max(1, at(seconds.median) - nameWidth).toFixed(1)
  const whisker = `<path d="M${at(seconds.min).toFixed(1)} ${middle}H${at(seconds.max).toFixed(1)}" stroke="${ink}" stroke-width="1.5"/>`
  const label = `${formatTime(seconds.median)} s${ratio === null ? '' : ` · ${ratio.toFixed(2)} × DuckDB`}${cut ? ', bar cut' : ''}`
  const end = (cut ? at(limit) : at(Math.max(seconds.median, seconds.max))) + 8
  return (
    `<text x="${nameWidth - 8}" y="${middle + 4}" text-anchor="end">${escapeMarkup(contender)}</text>` +
    `<rect x="${nameWidth}" y="${y}" width="${width}" height="${barHeight}" rx="2" fill="${color}"/>` +
    (cut ? '' : whisker) +
    `<text x="${end.toFixed(1)}" y="${middle + 4}" fill="${muted}">${escapeMarkup(label)}</text>`
  )
}

/** Three digits: `0.083`, `1.24`, `31.5`. */
export function formatTime(seconds: number): string {
  return seconds.toFixed(seconds < 1 ? 3 : seconds < 10 ? 2 : 1)
}

export function escapeMarkup(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character]!)
}
