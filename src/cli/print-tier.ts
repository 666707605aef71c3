/** Tiers for people: what is to be said of one, and what is expected of a window. */
import { type NamedColumn, textColumn } from '../read/named-column.ts'
import type { Tier, TierStatus, WindowCount } from '../read/tier.ts'
import type { Estimate } from '../time/triangle.ts'
import { dayBeginningAt, formatLocal } from './local-moments.ts'
import { formatCount, formatPercent } from './numbers.ts'

/** `Known through 2021-05-25 (Asia/Taipei); 4 of 10 windows are provisional and left out.` */
export function tierNote(tier: Tier, status: TierStatus): string {
  const { windows, observedThrough } = status
  const text = `${knownText(status)}; ${provisionalText(windows)}`
  if (tier === 'final') return `${text}${windows.provisional === 0 ? '' : ' and left out'}.`
  const observed =
    observedThrough === null
      ? ''
      : ` What is complete and expected follows from all that was recorded through ${observedThrough}.`
  return `${text}.${observed}`
}

/** `4 of 10 windows are provisional` */
function provisionalText({ all, provisional }: WindowCount): string {
  if (all === 0) return 'there are no windows'
  if (all === 1) return `the window is ${provisional === 1 ? 'provisional' : 'final'}`
  return `${provisional === 0 ? 'none' : formatCount(provisional)} of ${formatCount(all)} windows ${provisional <= 1 ? 'is' : 'are'} provisional`
}

/** `Known through 2021-05-25 (Asia/Taipei)` */
function knownText({ knownThrough, zone, recordsDays }: TierStatus): string {
  if (knownThrough === null) return 'Nothing is known yet'
  const text = (recordsDays ? dayBeginningAt(knownThrough, zone) : null) ?? formatLocal(knownThrough, zone)
  return `Known through ${text} (${zone})`
}

/** How complete a window is and what is expected of it, as people read it; nothing for a final one. */
export function estimateTexts(estimates: readonly (Estimate | null)[], isAlone: boolean): readonly NamedColumn[] {
  const texts = (name: string, of: (estimate: Estimate) => string): NamedColumn =>
    textColumn(
      name,
      estimates.map((estimate) => (estimate === null ? '' : of(estimate))),
    )
  const complete = texts('complete', ({ completeness }) =>
    completeness === null ? 'unknown' : formatPercent(completeness),
  )
  return isAlone ? [complete, texts('expected', expectedText)] : [complete]
}

/** `812 (760 to 871)`: the figure expected of a window, and the bounds between which it lies with a probability of 95 %. */
export function expectedText({ ultimate, low, high, reason }: Estimate): string {
  if (ultimate === null) return `unknown: ${reason}`
  // No more digits than say something, and as many in all three.
  const digits = Number.isInteger(ultimate) || Math.abs(ultimate) >= 100 ? 0 : Math.abs(ultimate) >= 10 ? 1 : 2
  const figure = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const interval = low === null || high === null ? '' : ` (${figure(low)} to ${figure(high)})`
  return `${figure(ultimate)}${interval}`
}
