import type { LogPlan } from '../model/plan.ts'
import { idText } from '../scan/identity.ts'
import { NO_HANDLER } from '../view/fold.ts'
import type { PreparedGroup, PreparedView } from '../view/view-set.ts'
import type { ChosenRows } from './chosen-rows.ts'
import { unknownType } from './emission.ts'
import type { MapTotals } from './totals.ts'

/** Whether the log lists a type, so that views without a handler for it leave it out silently. */
export function isKnownType({ views }: PreparedGroup, type: string): boolean {
  return views[0]!.definition.log.types?.includes(type) ?? false
}

/**
 * Which types any view of the group has a handler for; the others go by the policy of each view.
 *
 * @returns By local type code: 1 where a view has a handler.
 * @throws InputError where a view refuses a type.
 */
export function settleTypes(log: LogPlan, group: PreparedGroup, chosen: ChosenRows, totals: MapTotals): Uint8Array {
  const { names } = chosen.types
  const handled = new Uint8Array(names.length)
  for (const view of group.views) {
    const refused = new Uint8Array(names.length)
    names.forEach((name, code) => {
      if (view.handlerOf[chosen.codeOf[code]!] !== NO_HANDLER) handled[code] = 1
      else if (view.definition.unknown !== 'filter' && !isKnownType(group, name)) refused[code] = 1
    })
    if (refused.includes(1)) refuseTypes(log, view, refused, chosen, totals)
  }
  return handled
}

/** Lists events of the refused types, one that was made into several types once for each. */
function refuseTypes(
  log: LogPlan,
  view: PreparedView,
  refused: Uint8Array,
  { batch, rows, types }: ChosenRows,
  totals: MapTotals,
): void {
  let last = -1
  let listed: number[] = []
  for (const row of rows) {
    const code = types.codes[row]!
    if (refused[code] === 0) continue
    const type = types.names[code]!
    if (view.definition.unknown === 'fail') throw unknownType(view.name, type, batch, row)
    const origin = batch.origin === null ? row : batch.origin[row]!
    if (origin !== last) listed = []
    last = origin
    if (listed.includes(code)) continue
    listed.push(code)
    totals.exceptions[view.name]!.push({
      eventId: idText(log, batch, row),
      type,
      reason: 'unknown type',
      detail: '',
    })
  }
}
