import { bucketBitsOf, type GroupPlan, type LogPlan } from '../model/plan.ts'
import type { Block } from '../shuffle/block.ts'
import type { BlockMemory } from '../shuffle/block-memory.ts'
import { compilePacker, type PackInput } from '../shuffle/pack.ts'
import type { RowLayout } from '../view/row-layout.ts'
import type { BlockPlace } from './map-side.ts'

export type PackBlock = (at: BlockPlace, input: PackInput) => Block

/** Packs rows into blocks, which lie in memory or in a spill file. */
export function makeBlockPacker(log: LogPlan, group: GroupPlan, layout: RowLayout, memory: BlockMemory): PackBlock {
  const bucketBits = bucketBitsOf(log, group)
  const member = group.share?.member ?? 0
  const pack = compilePacker(layout)
  return (at, input) => {
    const { words, starts } = pack(input, bucketBits, (count) => memory.allocate(count))
    const strings = input.columns.map((column) =>
      column.kind === 'dictionary' && column.dictionary.kind === 'bytes' ? memory.keepStrings(column.dictionary) : null,
    )
    return { ...at, member, rows: input.count, words: memory.keep(words, starts), starts, strings }
  }
}
