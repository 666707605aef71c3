/** A day of a series: its figure as it was first reported, as it is known now, and what it may still become. */
export interface Day {
  readonly day: string
  readonly first: number
  readonly latest: number
  /** Null where the figure doesn't change any more. */
  readonly expected: number | null
}

/** A bar for each day: dark as first reported, light what was added later, dots for what is expected to come. */
export function drawSeries(days: readonly Day[], width: number): string {
  const largest = Math.max(...days.map(({ latest, expected }) => expected ?? latest))
  const cells = (count: number) => Math.round((count / largest) * width)
  const line = ({ day, first, latest, expected }: Day) => {
    const dark = '█'.repeat(cells(Math.min(first, latest)))
    const light = '▒'.repeat(Math.max(0, cells(latest) - cells(first)))
    const dots = '·'.repeat(Math.max(0, cells(expected ?? latest) - cells(latest)))
    const added = latest === first ? '' : `${latest > first ? '+' : '−'}${Math.abs(latest - first)}`
    const figures = [String(first).padStart(5), added.padStart(6), String(latest).padStart(7)].join('')
    const mark = expected === null ? ' ' : '~'
    return `${day}${figures}${mark} ${dark}${light}${dots}`.trimEnd()
  }
  return ['            first  later latest', ...days.map(line)].join('\n')
}

/** `333 on 05-17, 406 on 05-22`: a figure each time it changed. */
export function listChanges(known: readonly { readonly at: string; readonly figure: number }[]): string {
  const changes = known.filter(({ figure }, i) => i === 0 || figure !== known[i - 1]!.figure)
  return changes.map(({ at, figure }) => `${figure} on ${at}`).join(', ')
}
