/** Tiers for people: what is to be said of one, and what is expected of a window. */
import { type NamedColumn, textColumn } from '../read/named-column.ts'
import type { Tier, TierStatus, WindowCount } from '../read/tier.ts'
import type { Counted } from '../read/triangle-file.ts'
import { COMPARED_MIN } from '../time/calibration.ts'
import type { Estimate, PastEstimates } from '../time/estimate.ts'
import { dayBeginningAt, formatLocal } from './local-moments.ts'
import { formatCount, formatPercent } from './numbers.ts'

/** `Known through 2021-05-25 (Asia/Taipei); 4 of 10 windows are provisional and left out.` */
export function tierNote(tier: Tier, status: TierStatus): string {
  const { windows } = status
  const text = `${knownText(status)}; ${provisionalText(windows)}`
  if (tier === 'final') return `${text}${windows.provisional === 0 ? '' : ' and left out'}.`
  return `${text}.${momentText(status)}${status.expects === null ? '' : ` ${estimateNote(status.expects)}`}`
}

/** Of which moment figures and estimates are. */
function momentText(status: TierStatus): string {
  const { countedThrough, observedThrough } = status
  if (countedThrough === null) return ''
  const growth =
    observedThrough === null ? '' : `; how windows grow is taken from what was recorded through ${observedThrough}`
  return ` Figures and estimates count all that was recorded up to ${momentOf(countedThrough, status)}${growth}.`
}

/** What the column `expected` says. */
export function estimateNote(counted: Counted): string {
  const what = counted === 'events' ? 'number of events' : 'amount that the view measures'
  return `Expected: the final ${what} and its 95 % interval; held: how many such intervals, given in the past at the same age, hold what is known now; unchecked: fewer than 5 can be compared.`
}

/** `4 of 10 windows are provisional` */
function provisionalText({ all, provisional }: WindowCount): string {
  if (all === 0) return 'there are no windows'
  if (all === 1) return `the window is ${provisional === 1 ? 'provisional' : 'final'}`
  return `${provisional === 0 ? 'none' : formatCount(provisional)} of ${formatCount(all)} windows ${provisional <= 1 ? 'is' : 'are'} provisional`
}

/** `Known through 2021-05-25 (Asia/Taipei)` */
function knownText(status: TierStatus): string {
  if (status.knownThrough === null) return 'Nothing is known yet'
  const moment = momentOf(status.knownThrough, status)
  if (status.dayMayGrow) return `Known up to ${moment} (${status.zone}), of which more may be recorded`
  return `Known through ${moment} (${status.zone})`
}

function momentOf(moment: string, { zone, recordsDays }: TierStatus): string {
  return (recordsDays ? dayBeginningAt(moment, zone) : null) ?? formatLocal(moment, zone)
}

/** How complete a window is and what is expected of it, as people read it; nothing for a final one. */
export function estimateTexts(estimates: readonly (Estimate | null)[], isAlone: boolean): readonly NamedColumn[] {
  const texts = (name: string, of: (estimate: Estimate) => string): NamedColumn =>
    textColumn(
      name,
      estimates.map((estimate) => (estimate === null ? null : of(estimate))),
    )
  const complete = texts('complete', ({ completeness }) =>
    completeness === null ? 'unknown' : formatPercent(completeness),
  )
  return isAlone ? [complete, texts('expected', expectedText)] : [complete]
}

/**
 * `812 (760 to 871), held 93 % of 88`: the figure expected of a window, the bounds between which it lies with a probability of
 * 95 %, and how many of the bounds given in the past held.
 */
export function expectedText({ ultimate, low, high, reason, past }: Estimate): string {
  if (ultimate === null) return `unknown: ${reason}`
  // No more digits than say something, and as many in all three.
  const digits = Number.isInteger(ultimate) || Math.abs(ultimate) >= 100 ? 0 : Math.abs(ultimate) >= 10 ? 1 : 2
  const figure = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const interval = low === null || high === null ? '' : ` (${figure(low)} to ${figure(high)})`
  if (low === high && past === null) return `${figure(ultimate)}${interval}`
  return `${figure(ultimate)}${interval}, ${heldText(past)}`
}

/** `held 93 % of 88`; `unchecked` where too few past estimates can be compared. */
function heldText(past: PastEstimates | null): string {
  if (past === null || past.compared < COMPARED_MIN) return 'unchecked'
  return `held ${formatPercent(past.held / past.compared)} of ${formatCount(past.compared)}`
}
