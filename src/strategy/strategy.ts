import type { MapSide } from '../map/map-side.ts'
import type { FoldedLog, LogPlan } from '../model/plan.ts'
import type { ReduceSide } from '../reduce/reduce-side.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import type { PreparedGroup } from '../view/view-set.ts'

/**
 * One way of folding a group's events: what is done where they are read, how it travels, and what is done with it where
 * it arrives. All strategies produce the same bytes (decisions/018). What one knows, no stage knows.
 *
 * The shape is that of differential dataflow's `ReduceTactic`: one object a tactic, chosen once.
 */
export interface FoldStrategy {
  mapSide(log: LogPlan, group: PreparedGroup, memory: BlockMemory): MapSide
  reduceSide(log: FoldedLog, group: PreparedGroup): ReduceSide
}
