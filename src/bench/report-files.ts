import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawChart, escapeMarkup } from './chart.ts'
import { type BenchResult, disagreementsOf } from './result.ts'
import { type Cells, figureCells, meanCells, notesOf } from './table.ts'

/** Writes `<date>-<time>-<size>` as .json, .svg and .html into `folder` and returns their paths. */
export function writeReports(result: BenchResult, folder: string): string[] {
  mkdirSync(folder, { recursive: true })
  const moment = result.startedAt.slice(0, 19).replace('T', '-').replaceAll(':', '')
  const texts = {
    json: `${JSON.stringify(result, null, 2)}\n`,
    svg: drawChart(result),
    html: drawPage(result),
  }
  return Object.entries(texts).map(([extension, text]) => {
    const path = join(folder, `${moment}-${result.size}.${extension}`)
    writeFileSync(path, text)
    return path
  })
}

const style = `body { font: 14px/1.5 system-ui, sans-serif; color: #1f2430; margin: 2rem; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #e4e7ec; text-align: left; white-space: nowrap; }
.number { text-align: right; }
.warning { color: #b42318; font-weight: 600; }`

function drawPage(result: BenchResult): string {
  const title = `Refold benchmark, ${result.events.toLocaleString('en')} events, ${result.startedAt.slice(0, 10)}`
  const warnings = result.workloads.flatMap(disagreementsOf)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title>
<style>
${style}
</style>
<h1>${escapeMarkup(title)}</h1>
${warnings.map((warning) => `<p class="warning">${escapeMarkup(warning)}</p>`).join('\n')}
${drawChart(result)}
${result.means.length === 0 ? '' : `<h2>Geometric means</h2>\n${drawTable(meanCells(result))}`}
<h2>All figures</h2>
${drawTable(figureCells(result))}
<ul>
${notesOf(result)
  .map((note) => `<li>${escapeMarkup(note)}</li>`)
  .join('\n')}
</ul>
</html>
`
}

function drawTable({ headers, numeric, rows }: Cells): string {
  const cell = (tag: string, text: string, column: number) =>
    `<${tag}${numeric[column] ? ' class="number"' : ''}>${escapeMarkup(text)}</${tag}>`
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((text, column) => cell(tag, text, column)).join('')}</tr>`
  return `<table>\n${line('th', headers)}\n${rows.map((row) => line('td', row)).join('\n')}\n</table>`
}
