import type { RoleSlots, SlotSource } from '../model/plan.ts'
import type { Slot } from '../model/slots.ts'
import type { OpenedFile } from './open-file.ts'

/** Ids spread over more bits than this for each event are found by hashes. */
const BITS_AN_ID_MAX = 32

/** Ids that are integers and, by every row group's statistics, close to each other. */
export function denseIds(
  files: readonly OpenedFile[],
  sources: readonly (readonly SlotSource[])[],
  slots: readonly Slot[],
  roles: RoleSlots,
  rows: number,
): { by: 'bits'; min: bigint; span: number } | null {
  const [slot, ...more] = roles.id
  if (
    more.length > 0 ||
    slots[slot!]!.storage !== 'i64' ||
    slots[slot!]!.type.kind === 'decimal' ||
    slots[slot!]!.type.kind === 'uint64' ||
    slots[slot!]!.type.kind === 'timestamp'
  )
    return null
  let min: bigint | null = null
  let max: bigint | null = null
  for (const [i, { parquet }] of files.entries()) {
    const source = sources[i]![slot!]!
    if (source.kind !== 'column') return null
    for (const rowGroup of parquet.rowGroups) {
      const bounds = rowGroup.statistics(source.path)
      if (bounds?.min === undefined || bounds.max === undefined) return null
      const [low, high] = [BigInt(bounds.min), BigInt(bounds.max)]
      min = min === null || low < min ? low : min
      max = max === null || high > max ? high : max
    }
  }
  if (min === null || max === null) return null
  const span = max - min + 1n
  return span > 0n && span <= BigInt(rows * BITS_AN_ID_MAX + 65_536) ? { by: 'bits', min, span: Number(span) } : null
}
