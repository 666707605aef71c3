import type { MakeMapSide } from '../map/map-side.ts'
import type { FoldedLog } from '../model/plan.ts'
import type { Strategy } from '../model/report.ts'
import type { ReduceSide } from '../reduce/reduce-side.ts'
import type { PreparedGroup } from '../view/view-set.ts'
import { combine } from './combine.ts'
import { inPlace } from './in-place.ts'
import { shuffle } from './shuffle.ts'
import type { FoldStrategy } from './strategy.ts'

/** What the strategy of a group's plan does where events are read, and where rows arrive. */
export const mapSideOf: MakeMapSide = (log, group, memory) =>
  strategies[group.plan.strategy].mapSide(log, group, memory)
export const reduceSideOf = (log: FoldedLog, group: PreparedGroup): ReduceSide =>
  strategies[group.plan.strategy].reduceSide(log, group)

const strategies: Readonly<Record<Strategy, FoldStrategy>> = { 'in-place': inPlace, combine, shuffle }
