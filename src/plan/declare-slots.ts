import { nanosecondsIn } from '../columns/moment-text.ts'
import type { RoleSource } from '../model/log.ts'
import type { RoleSlots } from '../model/plan.ts'
import type { TimeUnit, Type } from '../model/type.ts'
import { int64, string, timestamp } from '../model/types.ts'
import type { AnyLog } from '../model/view.ts'
import { dayStarts } from '../time/zone.ts'
import type { DeclaredSlot, ZoneRules } from './sources.ts'

/** The slots that a log's definition declares: first the roles, then the fields. */
export function declareSlots(log: AnyLog): { slots: DeclaredSlot[]; roles: RoleSlots } {
  const slots: DeclaredSlot[] = []
  const zone = zoneRules(log)
  const columns = log.columns as Readonly<Record<string, RoleSource | readonly RoleSource[] | undefined>>
  const add = (name: string, what: string, source: RoleSource | undefined, bare: Type | undefined): number => {
    if (source === undefined) return -1
    const type = typeof source === 'string' ? bare && { ...bare, bare: true as const } : source
    slots.push({
      name,
      what,
      type: inZone(type, zone),
      zone,
      from: typeof source === 'string' ? source : (source.from ?? name),
    })
    return slots.length - 1
  }
  const role = (name: string, bare: Type | undefined, asMoment = (source: RoleSource | undefined) => source) =>
    add(name, `the events' ${name}`, asMoment(columns[name] as RoleSource | undefined), bare)
  const moment = timestamp(log.timeUnit as 'us')
  const midnight = (source: RoleSource | undefined) =>
    typeof source === 'object' && source.kind === 'date' ? midnightOf(source, log) : source
  const id = Array.isArray(columns['id'])
    ? columns['id'].map((part: RoleSource, i: number) => add(`id[${i}]`, "part of the events' id", part, undefined))
    : [role('id', undefined)]
  const roles: RoleSlots = {
    id,
    key: role('key', string()),
    type: role('type', string()),
    occurredAt: role('occurredAt', moment, midnight),
    recordedAt: role('recordedAt', moment, midnight),
    sequence: role('sequence', int64()),
  }
  for (const [name, type] of Object.entries(log.fields as Readonly<Record<string, Type>>)) {
    slots.push({ name, what: `field ${name}`, type: inZone(type, zone), zone, from: type.from ?? name })
  }
  return { slots, roles }
}

/** Files may hold days or local times where moments are declared, and local times within documents. */
function inZone<T extends Type | undefined>(type: T, rules: ZoneRules): T {
  if (type?.kind !== 'timestamp' && type?.kind !== 'json') return type
  if (type.zone === undefined) return { ...rules, ...type }
  return { disambiguation: rules.disambiguation, ...type }
}

function zoneRules({ zone, disambiguation, declaresZone }: AnyLog): ZoneRules {
  return { zone, disambiguation, ...(declaresZone ? {} : { assumesUtc: true as const }) }
}

/** A day in place of a moment is its midnight in the log's zone. */
function midnightOf(day: Type, { timeUnit: unit, zone }: AnyLog): Type {
  const { whenMissing, ...rest } = day
  const moment = { ...rest, kind: 'timestamp', unit } as const
  if (typeof whenMissing !== 'number') return whenMissing === undefined ? moment : { ...moment, whenMissing }
  const instant = BigInt(dayStarts(zone)(whenMissing)) * (1_000_000n / nanosecondsIn[unit as TimeUnit])
  return { ...moment, whenMissing: unit === 'ns' ? instant : Number(instant) }
}
