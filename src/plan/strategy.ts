import { ConfigurationError } from '../model/errors.ts'
import type { Strategy } from '../model/report.ts'
import { isTyped, type LogView } from '../model/view.ts'
import type { Partitions } from './partitions.ts'

/**
 * Rows that a partition may have for one view to be folded in place; for several, divided by their number. Beyond, its keys
 * and their states outgrow the CPU's cache, and a shuffle is quicker: decisions/018.
 */
const PARTITION_ROWS_MAX = 2 ** 18
/** Rows of a partition that is a task of its own in any case. */
const SMALL_PARTITION_ROWS = 2 ** 17
/** Partitions needed at least, by the size of the largest: with fewer, threads would have nothing to do. */
const PARTITIONS_AT_LEAST = 4
/** Views that are folded in place together: each has a bit of the code that a state travels under. */
const VIEWS_IN_PLACE_MAX = 16

export interface StrategyChoice {
  readonly strategy: Strategy
  readonly reason: string
}

/**
 * How the views of a group are folded.
 *
 * @param partitions Null where the log doesn't say that it is partitioned by its key.
 * @param forced The strategy requested, whether it is best or not.
 * @param vintages Whether vintages are made too.
 */
export function chooseStrategy(
  views: readonly LogView[],
  partitions: Partitions | null,
  forced: Strategy | undefined,
  vintages = false,
): StrategyChoice {
  const travelling = exchangeStrategy(views.find((view) => !view.orderFree) ?? views[0]!)
  if (forced !== undefined) return forcedStrategy(views, partitions, vintages, forced, travelling)
  if (partitions === null) return travelling
  const obstacle = inPlaceObstacle(views, vintages) ?? sizeObstacle(views.length, partitions)
  if (obstacle !== null) return { ...travelling, reason: `${travelling.reason}; not in place: ${obstacle}` }
  return { strategy: 'in-place', reason: 'all events of a key lie in one partition' }
}

function forcedStrategy(
  views: readonly LogView[],
  partitions: Partitions | null,
  vintages: boolean,
  forced: Strategy,
  travelling: StrategyChoice,
): StrategyChoice {
  const refuse = (why: string): never => {
    const names = views.map((view) => view.name).join(', ')
    throw new ConfigurationError(`Cannot fold ${names} by the strategy ${forced}: ${why}.`)
  }
  if (forced === 'combine' && travelling.strategy !== 'combine') {
    refuse(views.some((view) => view.merge !== undefined) ? travelling.reason : 'no merge is declared')
  }
  if (forced === 'in-place') {
    if (partitions === null) refuse(`log ${views[0]!.log.name} does not declare partitionedByKey`)
    const obstacle = inPlaceObstacle(views, vintages)
    if (obstacle !== null) refuse(obstacle)
  }
  return { strategy: forced, reason: 'it was asked for' }
}

/** Why views can't be folded in place, for any log; null where they can. */
function inPlaceObstacle(views: readonly LogView[], vintages: boolean): string | null {
  if (vintages) return 'vintages are made of events, period by period'
  if (views.length > VIEWS_IN_PLACE_MAX) return `more than ${VIEWS_IN_PLACE_MAX} views share the key`
  for (const view of views) {
    const obstacle = viewObstacle(view)
    if (obstacle !== null) return views.length === 1 ? obstacle : `of ${view.name}, ${obstacle}`
  }
  return null
}

/** States travel to their part file as packed rows, so only states that survive packing unchanged can be folded in place. */
function viewObstacle(view: LogView): string | null {
  if (view.keyBy !== undefined || view.window !== undefined) return "the key is not the log's"
  if (!isTyped(view.state)) return 'a free-form state cannot travel'
  if (view.onError === 'quarantine') return "an event that fails is taken out of its key's fold"
  const kinds = Object.values(view.state).map((type) => type.kind)
  if (kinds.includes('json')) return 'a state of JSON would travel as text'
  // UTF-8 can't hold half a pair of surrogates, and only `row` could reveal one.
  if (kinds.includes('string') && view.row !== undefined) return 'row must see strings as handlers left them'
  return null
}

/** Why partitions should not be folded whole; null where they may be. */
function sizeObstacle(views: number, { rows, largestRows }: Partitions): string | null {
  const most = Math.floor(PARTITION_ROWS_MAX / views)
  if (largestRows > most) {
    return `the largest partition has ${largestRows} rows, more than ${most}`
  }
  if (largestRows > SMALL_PARTITION_ROWS && largestRows * PARTITIONS_AT_LEAST > rows) {
    return `the largest partition has ${largestRows} of ${rows} rows, too many for one task`
  }
  return null
}

/** How a view is folded whose events lie anywhere in the log. */
export function exchangeStrategy(view: LogView): StrategyChoice {
  if (view.merge === undefined)
    return {
      strategy: 'shuffle',
      reason: view.orderFree ? 'order does not matter to its handlers' : "a key's events are folded in the log's order",
    }
  if (!isTyped(view.state)) return { strategy: 'shuffle', reason: 'merge is not used: a free-form state cannot travel' }
  if (hasFloats(view))
    return {
      strategy: 'shuffle',
      reason: "merge is not used: sums of float64 depend on their order, so events are folded in the log's order",
    }
  if (view.onError === 'quarantine')
    return { strategy: 'shuffle', reason: "merge is not used: an event that fails is taken out of its key's fold" }
  return { strategy: 'combine', reason: 'states are combined where the events are read, by merge' }
}

/** Sums of floating-point numbers depend on their order, so such states are neither combined nor left unordered. */
export function hasFloats(view: LogView): boolean {
  return isTyped(view.state) && Object.values(view.state).some((type) => type.kind === 'float64')
}
