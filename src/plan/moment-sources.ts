import { declareZone } from '../columns/moment-text.ts'
import { declareUnit, isLocal, storedUnit } from '../columns/stored-moments.ts'
import type { LogicalType } from '../model/column.ts'
import type { Type } from '../model/type.ts'
import type { Shape } from '../parquet/nested-shape.ts'

/**
 * Why a file's column can't be taken for the moments it is declared to hold, as what to declare; null where it can. A
 * column's own type decides; a declaration says what it leaves open, and may say of timestamps whether they are local times.
 */
export function momentProblem(type: Type, found: LogicalType): string | null {
  const { storedAs } = type
  switch (found.kind) {
    case 'timestamp':
      if (storedUnit(storedAs) !== undefined || storedAs === 'text') return leaveOut(storedAs!)
      return isLocal(found, type) && type.assumesUtc === true ? `they are local times; ${declareZone}` : null
    case 'date':
      return storedAs === undefined ? null : leaveOut(storedAs)
    case 'int':
      if (storedAs === undefined) return declareUnit(type)
      return storedUnit(storedAs) === undefined
        ? `storedAs: '${storedAs}' is not for integers; ${declareUnit(type)}`
        : null
    case 'string':
    case 'json':
    case 'binary':
      if (storedAs === 'text' || storedUnit(storedAs) !== undefined) return null
      return `declare what its text is, as timestamp('${type.unit ?? 'us'}', '${nameOf(type)}', { storedAs: 'text' }) for ISO 8601, or 's', 'ms', 'us' or 'ns' for digits that count since 1970`
    default:
      return 'name a column of moments, days, integers or text'
  }
}

function leaveOut(storedAs: string): string {
  return `the file itself says what its values are; leave out storedAs: '${storedAs}'`
}

function nameOf({ from = '…' }: Type): string {
  return typeof from === 'string' ? from : from.join('.')
}

/** Whether local times lie within nested values. */
export function holdsLocalTimes(shape: Shape | undefined, type: Type): boolean {
  switch (shape?.kind) {
    case 'leaf':
      return isLocal(shape.type, type)
    case 'list':
      return holdsLocalTimes(shape.item, type)
    case 'map':
      return holdsLocalTimes(shape.key, type) || holdsLocalTimes(shape.value ?? undefined, type)
    case 'struct':
      return [...shape.fields.values()].some((field) => holdsLocalTimes(field, type))
    default:
      return false
  }
}
