/** A day of a series: its figure as it was first reported, and as it was known in the end. */
export interface Day {
  readonly day: string
  readonly first: number
  readonly final: number
}

/** A bar for each day: dark as first reported, light what was added later. */
export function drawSeries(days: readonly Day[], width: number): string {
  const largest = Math.max(...days.map(({ final }) => final))
  const cells = (count: number) => Math.round((count / largest) * width)
  const line = ({ day, first, final }: Day) => {
    const dark = '█'.repeat(cells(first))
    const light = '░'.repeat(Math.max(0, cells(final) - cells(first)))
    return `${day}  ${String(first).padStart(5)}  ${String(final).padStart(5)}  ${dark}${light}`.trimEnd()
  }
  return [`${' '.repeat(10)}  first  later`, ...days.map(line)].join('\n')
}
