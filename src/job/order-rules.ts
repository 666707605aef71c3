import type { OrderRole, RoleSource, TieBreak } from '../model/log.ts'
import { crossesStreams } from '../model/order.ts'
import { isWide } from '../model/slots.ts'
import type { Fields, Type } from '../model/type.ts'
import type { AnyLog, LogView } from '../model/view.ts'

const orderRoles: readonly OrderRole[] = ['sequence', 'recordedAt', 'occurredAt', 'id']

/** What a log can get wrong in how it says its events are ordered. */
export function logOrderProblems(log: AnyLog): string[] {
  return [...scopeProblems(log), ...tieBreakProblems(log), ...orderProblems(log)]
}

function scopeProblems({ columns, sequenceScope }: AnyLog): string[] {
  if (sequenceScope === 'stream' || columns.sequence !== undefined) return []
  return ['sequenceScope: the log has no sequence; name its column in columns.sequence, or leave sequenceScope out']
}

const orderedKinds: readonly Type['kind'][] = [
  ...(['int32', 'int64', 'bigint', 'uint64', 'decimal', 'date', 'timestamp', 'string', 'uuid', 'bool'] as const),
]

/** Whether events may be declared to come by values of a type. Wide decimals travel as digits, whose order is that of text. */
function hasOrder(type: Type): boolean {
  return orderedKinds.includes(type.kind) && !isWide(type)
}

function typeText({ kind, precision, scale }: Type): string {
  return kind === 'decimal' ? `decimal(${precision}, ${scale})` : kind
}

/** A key or an id that is declared to order events must have an order. */
function roleOrderProblems(columns: AnyLog['columns'], role: 'key' | 'id', place: string): string[] {
  const source: RoleSource | readonly RoleSource[] | undefined = columns[role]
  const parts = source === undefined ? [] : [source].flat()
  return parts
    .filter((part): part is Type => typeof part === 'object' && !hasOrder(part))
    .map((type) => `${place}: ${role} is of ${typeText(type)}, by which events can't be ordered; leave it out`)
}

function tieBreakProblems(log: AnyLog): string[] {
  const tieBreak = log.tieBreak as readonly TieBreak[]
  const order: readonly OrderRole[] = log.order ?? []
  const problems = tieBreak.flatMap((tie) =>
    typeof tie === 'string' ? tieFieldProblems(log, tie) : tieTypesProblems(log, tie.types),
  )
  if (tieBreak.length > 0 && order.includes('id')) {
    problems.push('tieBreak: order ends with id, which leaves nothing to decide; leave id out of order')
  }
  for (const [index, tie] of tieBreak.entries()) {
    const isRepeated = (other: TieBreak) => (typeof tie === 'string' ? tie === other : typeof other === 'object')
    if (tieBreak.findIndex(isRepeated) === index) continue
    problems.push(typeof tie === 'string' ? `tieBreak: "${tie}" is listed twice` : 'tieBreak: types are listed twice')
  }
  return problems
}

function tieFieldProblems({ columns, fields, order }: AnyLog, name: string): string[] {
  if (name === 'key' || name === 'occurredAt') {
    if (columns[name] === undefined) {
      return [`tieBreak: the log has no ${name}; name its column in columns, or leave it out of tieBreak`]
    }
    const listed = (order as readonly OrderRole[] | undefined)?.includes(name as OrderRole)
    if (listed) return [`tieBreak: ${name} is in order already; leave it out of tieBreak`]
    return name === 'key' ? roleOrderProblems(columns, 'key', 'tieBreak') : []
  }
  const type = Object.hasOwn(fields, name) ? (fields as Fields)[name] : undefined
  if (type === undefined) {
    const names = [...Object.keys(fields), 'key', 'occurredAt'].join(', ')
    return [`tieBreak: expected one of ${names}, or { types: [...] }, found "${name}"`]
  }
  if (hasOrder(type)) return []
  return [`tieBreak: field "${name}" is of ${typeText(type)}, by which events can't be ordered; take another field`]
}

function tieTypesProblems({ columns, types }: AnyLog, listed: readonly string[]): string[] {
  const problems: string[] = []
  if (columns.type === undefined) problems.push('tieBreak: the log has no type; name its column in columns.type')
  const known: readonly string[] | undefined = types
  for (const [index, type] of listed.entries()) {
    if (type === '*')
      problems.push('tieBreak.types: expected the name of a type, found "*"; types not listed come last')
    else if (known !== undefined && !known.includes(type)) {
      problems.push(`tieBreak.types: the log has no type "${type}", its types are ${known.join(', ')}`)
    } else if (listed.indexOf(type) !== index) problems.push(`tieBreak.types: "${type}" is listed twice`)
  }
  return problems
}

function orderProblems(log: AnyLog): string[] {
  const columns: Readonly<Record<string, unknown>> = log.columns
  const order: readonly OrderRole[] = log.order ?? []
  return order.flatMap((role, index) => {
    if (!orderRoles.includes(role)) return [`order: expected some of ${orderRoles.join(', ')}, found "${role}"`]
    if (columns[role] === undefined) {
      return [`order: the log has no ${role}; name its column in columns, or leave it out of the order`]
    }
    if (order.indexOf(role) !== index) return [`order: ${role} is listed twice`]
    // Rows of a view have no order but that of their keys, whatever these are.
    return role === 'id' && log.view === undefined ? roleOrderProblems(log.columns, 'id', 'order') : []
  })
}

/** Whether the log says how the view's events are ordered. */
export function viewOrderProblems(view: LogView): string[] {
  const { columns, order, sequenceScope } = view.log
  if (view.orderFree || order !== undefined) return []
  if (columns.sequence !== undefined && sequenceScope === 'stream' && crossesStreams(view))
    return crossingProblems(view)
  if (columns.recordedAt !== undefined || columns.sequence !== undefined) return []
  return [
    `its events have no order: log "${view.log.name}" declares neither recordedAt nor sequence. Declare one of them in ` +
      'columns, or state that the order does not matter: orderFree: true',
  ]
}

/** By a sequence that counts within each stream, events of several streams have no order. */
function crossingProblems({ log }: LogView): string[] {
  const { columns } = log
  if (columns.key === undefined) {
    return [
      `its events have no order: the sequence of log "${log.name}" counts the events of a stream, and the log names no stream. ` +
        `Name its column in columns.key, or state that the numbers count through the whole log: sequenceScope: 'log'`,
    ]
  }
  if (columns.recordedAt !== undefined) return []
  return [
    `its events have no order: its key may bring several streams together, and the sequence of log "${log.name}" counts the ` +
      `events of each. Declare columns.recordedAt; or, if the numbers count through the whole log, sequenceScope: 'log'; or, if ` +
      `every key is of one stream, order: ['sequence']; or state that the order does not matter: orderFree: true`,
  ]
}
