import { bufferOf, stringsOf } from '../columns/strings.ts'
import type { LogPlan } from '../model/plan.ts'
import { ONLY_TYPE } from '../model/slots.ts'
import type { Batch } from './event-batch.ts'

/** The event types of a batch: a local code for each row, and the name of each code. */
export interface BatchTypes {
  readonly codes: Int32Array
  readonly names: readonly string[]
}

export function typesOf(log: LogPlan, batch: Batch): BatchTypes {
  if (log.roles.type < 0) return { codes: new Int32Array(batch.rows), names: [ONLY_TYPE] }
  const column = batch.columns[log.roles.type]
  if (column?.kind === 'dictionary') return { codes: column.codes, names: stringsOf(column.dictionary) }
  if (column?.kind !== 'bytes') throw new Error('a type column holds strings')
  const codes = new Int32Array(batch.rows)
  const names: string[] = []
  const known = new Map<string, number>()
  const buffer = bufferOf(column.data)
  for (let row = 0; row < batch.rows; row++) {
    const name = buffer.toString('utf8', column.offsets[row]!, column.offsets[row + 1]! - column.gap)
    let code = known.get(name)
    if (code === undefined) {
      code = names.length
      names.push(name)
      known.set(name, code)
    }
    codes[row] = code
  }
  return { codes, names }
}
