import { type OrderTerm, type SlotTerm, TIE } from '../model/order.ts'
import type { GroupPlan } from '../model/plan.ts'
import { stringStart } from '../view/event-source.ts'
import { type RowLayout, rowSource } from '../view/row-layout.ts'
import { type PreparedGroup, ranksByCode } from '../view/view-set.ts'

/**
 * Compares two packed rows by the order of their group: negative, zero or positive. ±`TIE` where nothing that is declared
 * tells them apart; 0 only for what an upcaster made of one event.
 */
export type CompareRows = (
  words: Int32Array,
  bytes: Uint8Array,
  strings: readonly (readonly string[])[],
  a: number,
  b: number,
) => number

/** @param layout Of the group's rows: the slots of its plan come first in it. */
export function compileCompare(layout: RowLayout, group: PreparedGroup): CompareRows {
  const { plan } = group
  const ranks: Uint16Array[] = []
  const steps = plan.order.map((term) => {
    if (term.by === 'slot') return slotSource(layout, plan, term)
    const rank = (row: string) => `ranks[${ranks.length}][${rowSource.typeCode('w', row)}]`
    const source = unequalSource(rank('a'), rank('b'), term)
    ranks.push(ranksByCode(group, term))
    return source
  })
  const source = `'use strict'; return (w, bytes, strings, a, b) => { ${steps.join('\n')} return 0; }`
  return new Function('ranks', source)(ranks) as CompareRows
}

function slotSource(layout: RowLayout, { slots }: GroupPlan, term: SlotTerm): string {
  const index = slots.indexOf(term.slot)
  const { word, storage, nullBit, type } = layout.slots[index]!
  const field = (row: string, more = 0) => `w[${row} + ${word + more}]`
  const high = (row: string) => (type.kind === 'uint64' ? `(${field(row, 1)} >>> 0)` : field(row, 1))
  const text = (row: string) =>
    `(${field(row)} >= 0 ? Buffer.from(strings[${index}][${field(row)}]) : bytes.subarray(${stringStart(layout, index, row)}, ${stringStart(layout, index, row)} - 1 - ${field(row)}))`
  const values =
    storage === 'i64' || storage === 'f64'
      ? `${unequalSource(high('a'), high('b'), term)}
${unequalSource(`(${field('a')} >>> 0)`, `(${field('b')} >>> 0)`, term)}`
      : storage === 'str'
        ? `{ const order = Buffer.compare(${text('a')}, ${text('b')}); if (order !== 0) return ${term.isDeclared ? 'order' : `order * ${TIE}`}; }`
        : unequalSource(field('a'), field('b'), term)
  if (nullBit < 0) return values
  const hasValue = (row: string) =>
    `((${rowSource.nullWord('w', row, nullBit >> 5)} & ${1 << (nullBit & 31)}) === 0 ? 1 : 0)`
  return `${unequalSource(hasValue('a'), hasValue('b'), term)} if (${hasValue('a')} === 1) { ${values} }`
}

/** Statements that return where two numbers differ. */
function unequalSource(a: string, b: string, { isDeclared }: OrderTerm): string {
  const step = isDeclared ? 1 : TIE
  return `if (${a} !== ${b}) return ${a} < ${b} ? -${step} : ${step};`
}
