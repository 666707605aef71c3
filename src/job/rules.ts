import { isHexText, isUuidText } from '../model/byte-text.ts'
import { canonicalJson } from '../model/canonical-json.ts'
import type { RoleSource } from '../model/log.ts'
import { isMomentNumber } from '../model/moment-number.ts'
import { fitsWide, isWide } from '../model/slots.ts'
import type { Fields, TimeUnit, Type } from '../model/type.ts'
import {
  type AnyLog,
  isTyped,
  type JobDefinition,
  type LogView,
  logsOf,
  sharesOf,
  statusNames,
  type ViewDefinition,
  vintagesName,
} from '../model/view.ts'
import { everyProblem } from '../time/calendar.ts'
import { durationProblem } from '../time/duration.ts'
import { idleTimeoutProblem } from '../time/watermark.ts'
import { zoneProblem } from '../time/zone.ts'
import { dayProblems } from './day-rules.ts'
import { describeLog } from './describe.ts'
import { duplicatesProblems } from './duplicate-rules.ts'
import { keyColumnName, mergedProblems } from './merged-rules.ts'
import { nameProblems, upcastNameProblems } from './name-rules.ts'
import { logOrderProblems, viewOrderProblems } from './order-rules.ts'

/** What a job of valid structure can still get wrong. One sentence for each fault, with its place and the remedy. */
export function problemsOf(job: JobDefinition): string[] {
  if (job.views.length === 0) return ['expected at least one view, found none: defineJob({ views: [balances] })']
  const logs = [...new Set(job.views.flatMap(logsOf))]
  return [
    ...duplicateNames(job.views),
    ...likeNames(job.views),
    ...differingLogs(logs),
    ...logs.flatMap((log) => sourceViewProblems(log, job.views)),
    ...logs.flatMap((log) => logProblems(log).map((problem) => `log "${log.name}": ${problem}`)),
    ...job.views.flatMap((view) => viewProblems(view).map((problem) => `view "${view.name}": ${problem}`)),
  ]
}

function duplicateNames(views: readonly ViewDefinition[]): string[] {
  const names = views.map((view) => view.name)
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
  return repeated.map(
    (name) => `view "${name}": expected one view of this name, found ${names.filter((other) => other === name).length}`,
  )
}

/** Names of views that would share a folder: on disks that ignore case, or with the vintages of another. */
function likeNames(views: readonly ViewDefinition[]): string[] {
  const problems: string[] = []
  for (const [index, { name }] of views.entries()) {
    const other = views
      .slice(0, index)
      .find((view) => view.name !== name && view.name.toLowerCase() === name.toLowerCase())
    if (other !== undefined) {
      problems.push(
        `view "${name}": its name differs only in case from that of view "${other.name}", with which it would share a folder on some disks; rename one of them`,
      )
    }
    const vintages = views.find((view) => view.name.toLowerCase() === vintagesName(name).toLowerCase())
    if (vintages !== undefined) {
      problems.push(`view "${vintages.name}": the name is kept for the vintages of view "${name}"; rename one of them`)
    }
  }
  return problems
}

function differingLogs(logs: readonly AnyLog[]): string[] {
  const first = new Map<string, string>()
  const problems: string[] = []
  for (const log of logs) {
    const described = canonicalJson(describeLog(log, (fn) => fn.toString()))
    if ((first.get(log.name) ?? described) !== described) {
      problems.push(
        `log "${log.name}": two logs of this name differ; give one of them another name, or share one defineLog`,
      )
    }
    first.set(log.name, described)
  }
  return problems
}

/** A log has files, or is the rows of a view of the job. */
function sourceViewProblems({ name, view, files }: AnyLog, views: readonly ViewDefinition[]): string[] {
  if (view === undefined)
    return files.length === 0 ? [`log "${name}", files: expected at least one, found an empty array`] : []
  if (views.some((candidate) => candidate === view)) return []
  const other = views.some((candidate) => candidate.name === view.name)
    ? `, whose view "${view.name}" is another`
    : ", which isn't in the job"
  return [
    `log "${name}": expected the rows of a view of the job, found those of view "${view.name}"${other}; add it to the job's views, or ` +
      `read what is published of it: files: 'views/${view.name}'`,
  ]
}

const roleNames = ['id', 'key', 'type', 'occurredAt', 'recordedAt', 'sequence'] as const
const integerKinds: readonly Type['kind'][] = ['int32', 'int64', 'bigint']

function logProblems(log: AnyLog): string[] {
  const columns: Readonly<Record<string, RoleSource | readonly RoleSource[] | undefined>> = log.columns
  const problems = fieldProblems('field', log.fields)
  for (const name of roleNames) {
    if (Object.hasOwn(log.fields, name)) {
      problems.push(
        `field "${name}": the name is kept for the event's own ${name}; choose another, as ${name}Field: string('${name}')`,
      )
    }
    const role = columns[name]
    if (isType(role)) problems.push(...roleProblems(name, role, log.timeUnit))
  }
  if (Array.isArray(columns['id'])) problems.push(...idPartProblems(columns['id'], log.view !== undefined))
  problems.push(...duplicatesProblems(log))
  const zone = zoneProblem(log.zone)
  if (zone !== null) problems.push(`zone: ${zone}`)
  problems.push(...columnZoneProblems(log))
  const idleTimeout = idleTimeoutProblem(log.idleTimeout)
  if (idleTimeout !== null) problems.push(`idleTimeout: ${idleTimeout}`)
  const maxClockSkew = idleTimeoutProblem(log.maxClockSkew)
  if (maxClockSkew !== null) problems.push(`maxClockSkew: ${maxClockSkew}`)
  if (log.recordsWholeDays && columns['recordedAt'] === undefined) {
    problems.push(
      'recordsWholeDays: the log has no recordedAt; name its column in columns, or leave recordsWholeDays out',
    )
  }
  problems.push(...asyncProblems(upcastersOf(log)), ...upcastNameProblems(log))
  if (log.partitionedByKey && columns['key'] === undefined) {
    problems.push('partitionedByKey: the log has no key; name its column in columns, or leave partitionedByKey out')
  }
  problems.push(...logOrderProblems(log))
  return problems
}

/** A column of a log may have a zone of its own. */
function columnZoneProblems(log: AnyLog): string[] {
  const roles = Object.entries(log.columns as Readonly<Record<string, unknown>>).flatMap(([name, source]) =>
    Array.isArray(source)
      ? source.map((part, i) => [`columns.${name}[${i}]`, part] as const)
      : [[`columns.${name}`, source] as const],
  )
  const fields = Object.entries(log.fields as Fields).map(([name, type]) => [`field "${name}"`, type])
  return [...roles, ...fields].flatMap(([place, type]) => {
    if (!isType(type) || type.zone === undefined) return []
    const fault = zoneProblem(type.zone)
    return fault === null ? [] : [`${place}: zone: ${fault}`]
  })
}

function roleProblems(name: string, type: Type, timeUnit: TimeUnit): string[] {
  const place = `columns.${name}`
  const problems = typeProblems(place, type)
  if ((name === 'id' || name === 'key') && type.kind === 'json') {
    problems.push(
      `${place}: a json value can't be ${name === 'id' ? 'an id' : 'a key'}; take a column of the values within it`,
    )
  }
  if (name === 'id' && (type.kind === 'float64' || type.kind === 'bool')) {
    problems.push(`${place}: a ${type.kind} can't distinguish events; take a column of integers or strings`)
  }
  if (name === 'occurredAt' || name === 'recordedAt') problems.push(...momentProblems(place, type, timeUnit))
  if (name === 'type' && type.kind !== 'string') problems.push(`${place}: expected string(), found ${type.kind}()`)
  if (name === 'sequence' && !integerKinds.includes(type.kind)) {
    problems.push(`${place}: expected int32(), int64() or bigint(), found ${type.kind}()`)
  }
  return problems
}

/**
 * What parts of an id can get wrong. One of several may be a truth value, since the others tell more events apart.
 *
 * @param ofRows Whether the log is the rows of a view, whose whole key may be a truth value.
 */
function idPartProblems(parts: readonly RoleSource[], ofRows: boolean): string[] {
  return parts.flatMap((type, i) => {
    if (!isType(type)) return []
    const place = `columns.id[${i}]`
    const problems = typeProblems(place, type)
    if (type.from === undefined) {
      problems.push(
        `${place}: expected a type with its column, found none; write ${type.kind}(…) with the column's name`,
      )
    }
    if (type.kind === 'json') {
      problems.push(`${place}: a json value can't be part of an id; take a column of the values within it`)
    }
    if (type.kind === 'float64' || (type.kind === 'bool' && parts.length === 1 && !ofRows)) {
      problems.push(`${place}: a ${type.kind} can't distinguish events; take a column of integers or strings`)
    }
    return problems
  })
}

function momentProblems(place: string, type: Type, timeUnit: TimeUnit): string[] {
  if (type.kind !== 'timestamp' && type.kind !== 'date') {
    return [`${place}: expected timestamp('${timeUnit}') or date(), found ${type.kind}()`]
  }
  if (type.kind === 'date' || type.unit === undefined || type.unit === timeUnit) return []
  return [
    `${place}: expected timestamp('${timeUnit}'), the log's timeUnit, found timestamp('${type.unit}'); name the column ` +
      `alone, whatever the unit in the files, or set timeUnit: '${type.unit}'`,
  ]
}

function viewProblems(view: ViewDefinition): string[] {
  const problems: string[] = []
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(view.name)) {
    problems.push('name: expected letters, digits, "-", "_" and ".", beginning with a letter or digit')
  }
  const merged = view.logs === undefined ? [] : mergedProblems(view)
  // What is wrong with a view because its logs don't go together is no fault of its own.
  if (merged.length > 0) return [...problems, ...merged]
  problems.push(
    ...windowProblems(view),
    ...keyProblems(view),
    ...stateProblems(view),
    ...sharesOf(view).flatMap((share) =>
      handlerProblems(share, view.logs === undefined ? 'on' : `on.${share.log.name}`),
    ),
    ...(view.logs === undefined ? viewOrderProblems(view) : []),
  )
  problems.push(...unitProblems(view))
  problems.push(...asyncProblems(functionsOf(view)), ...nameProblems(view), ...dayProblems(view))
  return problems
}

/** By name: the functions of a view. */
export function functionsOf(view: ViewDefinition): Record<string, unknown> {
  const { merge, row, state } = view
  const own = sharesOf(view).flatMap(({ log, keyBy, filter, window, on }) => {
    const of = view.logs === undefined ? '' : `${log.name}, `
    const functions = { keyBy, filter, 'window.measure': window?.measure }
    const handlers = Object.entries(on).map(([name, handler]) => [`handler ${name}`, handler] as const)
    return [...Object.entries(functions), ...handlers].map(([name, fn]) => [`${of}${name}`, fn])
  })
  return { ...Object.fromEntries(own), merge, row, state }
}

/** By name: the functions of a log. */
export function upcastersOf(log: AnyLog): Record<string, unknown> {
  const upcasters = Object.entries(log.upcast as Readonly<Record<string, unknown>>)
  return Object.fromEntries(upcasters.map(([name, fn]) => [`upcast ${name}`, fn]))
}

/** What a function does after its first await would run when the fold is over. */
function asyncProblems(functions: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(functions)
    .filter(([, fn]) => typeof fn === 'function' && /^(Async|Generator)/.test(fn.constructor.name))
    .map(([name]) => `${name}: expected a plain function, found an async one or a generator; a fold can't wait`)
}

function windowProblems(view: ViewDefinition): string[] {
  const { window } = view
  if (window === undefined) return []
  if (view.log?.view !== undefined) {
    return [
      `window: the rows of view "${view.log.view.name}" are no events: they don't come late, they change; fold the events of its own log instead`,
    ]
  }
  const problems = logsOf(view).flatMap(undatedProblems)
  const faults = {
    every: everyProblem(window.every),
    zone: zoneProblem(window.zone),
    allowedLateness: durationProblem(window.allowedLateness),
  }
  for (const [option, fault] of Object.entries(faults)) if (fault !== null) problems.push(`window.${option}: ${fault}`)
  if (window.name === '') problems.push('window.name: expected a name, found ""')
  const output = Object.keys(view.columns ?? (isTyped(view.state) ? view.state : {}))
  for (const name of statusNames) {
    if (window.name === name) problems.push(`window.name: "${name}" is a column that windows add; choose another name`)
    if (Object.hasOwn(view.key ?? {}, name) || output.includes(name)) {
      problems.push(`column "${name}": a view with windows adds a column of this name; rename yours`)
    }
  }
  if (Object.hasOwn(view.key ?? {}, window.name)) {
    problems.push(`key column "${window.name}": the window's column has this name; rename it, or set window.name`)
  }
  return problems
}

/** What windows need to know of a log's events. */
function undatedProblems({ name, columns }: AnyLog): string[] {
  const problems: string[] = []
  if (columns.occurredAt === undefined) {
    problems.push(`window: log "${name}" doesn't say when its events happened; name the column in columns.occurredAt`)
  }
  if (columns.recordedAt === undefined) {
    problems.push(
      `window: log "${name}" doesn't say when it received its events, so it isn't known which are late; name the column in columns.recordedAt`,
    )
  }
  return problems
}

function keyProblems(view: ViewDefinition): string[] {
  const shares = sharesOf(view)
  if (view.key === undefined) {
    if (view.window !== undefined) {
      return view.keyBy === undefined ? [] : ['keyBy: declared without key; declare the columns it gives: key: { … }']
    }
    return logsOf(view)
      .filter(({ columns }) => columns.key === undefined)
      .map(({ name }) => `it has no key: name the key column of log "${name}" in columns.key, or declare key and by`)
  }
  const problems = [...fieldProblems('key column', view.key), ...sourceProblems('key column', view.key)]
  if (Object.keys(view.key).length === 0) problems.push('key: expected at least one column, found none')
  for (const { log, keyBy } of shares) {
    if (keyBy !== undefined) continue
    const option = view.logs === undefined ? 'keyBy' : `keyBy.${log.name}`
    problems.push(`key: declared without ${option}; add ${option}: (e) => ({ … }), which makes the key of an event`)
  }
  for (const [name, type] of Object.entries(view.key)) {
    if (type.kind === 'json')
      problems.push(`key column "${name}": a json value can't be a key; use the values within it`)
  }
  return problems
}

function stateProblems(view: ViewDefinition): string[] {
  const problems: string[] = []
  if (isTyped(view.state)) {
    problems.push(...fieldProblems('state column', view.state), ...sourceProblems('state column', view.state))
    for (const [name, type] of Object.entries(view.state)) {
      if (type.kind !== 'uuid' || type.nullable || type.initial !== undefined) continue
      problems.push(
        `state column "${name}": no UUID is the first one; declare nullable(uuid()), or uuid(undefined, { initial: … })`,
      )
    }
    if (view.columns !== undefined && view.row === undefined) {
      problems.push('columns: declared without row; add row: (state, key) => ({ … }), or leave out columns')
    }
    if (Object.keys(view.state).length === 0 && view.row === undefined) {
      problems.push('state: expected at least one column, found none')
    }
  } else if (view.row === undefined || view.columns === undefined) {
    const missing = [view.row === undefined ? 'row' : '', view.columns === undefined ? 'columns' : ''].filter(Boolean)
    problems.push(`state: a function makes it, so the view must say what rows it becomes: add ${missing.join(' and ')}`)
  }
  if (view.columns !== undefined) {
    problems.push(...fieldProblems('column', view.columns), ...sourceProblems('column', view.columns))
  }
  const keyNames = keyColumnNames(view)
  const output = view.columns ?? (isTyped(view.state) ? view.state : {})
  for (const name of Object.keys(output).filter((name) => keyNames.includes(name))) {
    problems.push(
      `${view.columns === undefined ? 'state ' : ''}column "${name}": a key column has this name already; rename one of them`,
    )
  }
  return problems
}

/**
 * A moment taken from an event into a column of another unit would be published as another moment. A column may have the
 * unit of any of the log's moments; what `row` makes is the view's own.
 */
function unitProblems(view: ViewDefinition): string[] {
  const logs = logsOf(view)
  const log = logs[0]!
  const units = new Set(logs.flatMap(unitsOf))
  const state: Fields = isTyped(view.state) ? view.state : {}
  const columns = [
    ...Object.entries(view.key ?? {}).map(([name, type]) => [`key column "${name}"`, type] as const),
    ...Object.entries(state).map(([name, type]) => [`state column "${name}"`, type] as const),
  ]
  return columns
    .filter(([, { unit }]) => unit !== undefined && !units.has(unit))
    .map(
      ([place, { unit }]) =>
        `${place}: expected timestamp('${log.timeUnit}'), as the moments of log "${log.name}" are, found ` +
        `timestamp('${unit}'); declare it so, or set the log's timeUnit: '${unit}'`,
    )
}

function unitsOf({ columns, fields, timeUnit }: AnyLog): (TimeUnit | undefined)[] {
  const roles: readonly unknown[] = [columns.id, columns.key].flat()
  const types = [...Object.values(fields as Fields), ...roles.filter(isType)]
  return [timeUnit, ...types.map((type) => type.unit)]
}

/** The view's key columns as they are named in its files. */
function keyColumnNames(view: ViewDefinition): string[] {
  if (view.window !== undefined) return [view.window.name, ...Object.keys(view.key ?? {})]
  if (view.key !== undefined) return Object.keys(view.key)
  const role: RoleSource | undefined = logsOf(view)[0]!.columns.key
  return role === undefined ? [] : [keyColumnName(role)]
}

/** @param place Of the handlers, for messages. */
function handlerProblems(view: LogView, place: string): string[] {
  const names = Object.keys(view.on).filter((name) => view.on[name] !== undefined)
  if (names.length === 0) return ["on: expected at least one handler, found none; '*' handles every type"]
  const types: readonly string[] | undefined = view.log.types
  if (types === undefined) return []
  return names
    .filter((name) => name !== '*' && !types.includes(name))
    .map((name) => `${place}.${name}: log "${view.log.name}" has no such type, its types are ${types.join(', ')}`)
}

function fieldProblems(what: string, fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, type]) => [
    ...(name === '' ? [`${what} "": expected a name`] : []),
    ...typeProblems(`${what} "${name}"`, type),
  ])
}

/** Only what comes from a log comes from a column. `string('none')` is more likely meant as a value to start with. */
function sourceProblems(what: string, fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, type]) => [
    ...(type.from === undefined
      ? []
      : [
          `${what} "${name}": it comes from no column, found ${JSON.stringify(type.from)}; to start with a value, ` +
            `write ${type.kind}(undefined, { initial: … })`,
        ]),
    ...(['whenMissing', 'optional', 'storedAs', 'zone', 'disambiguation'] as const)
      .filter((option) => type[option] !== undefined)
      .map((option) => `${what} "${name}": ${option} is for the fields of a log`),
  ])
}

function typeProblems(place: string, type: Type): string[] {
  const problems: string[] = []
  if (type.kind === 'decimal') {
    const { precision, scale } = type
    if (precision === undefined || !Number.isInteger(precision) || precision < 1 || precision > 38) {
      problems.push(`${place}: expected a decimal of 1 to 38 digits, found ${precision ?? 'none'}`)
    } else if (scale === undefined || !Number.isInteger(scale) || scale < 0 || scale > precision) {
      problems.push(`${place}: expected 0 to ${precision} digits after the point, found ${scale ?? 'none'}`)
    }
  }
  if (type.kind === 'timestamp' && type.unit === undefined)
    problems.push(`${place}: expected a unit, 'ms', 'us' or 'ns'`)
  for (const option of ['initial', 'whenMissing'] as const) {
    const value = type[option]
    const mayBeNull = type.nullable || option === 'whenMissing'
    if (value === undefined || (value === null && mayBeNull) || fits(type, value)) continue
    const found = typeof value === 'string' ? JSON.stringify(value) : String(value)
    problems.push(`${place}: ${option}: expected a value of ${type.kind}(), found ${found}`)
  }
  return problems
}

function fits(type: Type, value: unknown): boolean {
  switch (type.kind) {
    case 'int32':
    case 'date':
      return typeof value === 'number' && (value | 0) === value
    case 'decimal':
      return isWide(type) ? fitsWide(type, value) : Number.isSafeInteger(value)
    case 'int64':
      return Number.isSafeInteger(value)
    case 'uint64':
      return typeof value === 'bigint' && BigInt.asUintN(64, value) === value
    case 'bigint':
      return typeof value === 'bigint' && BigInt.asIntN(64, value) === value
    case 'timestamp':
      return type.unit === 'ns'
        ? typeof value === 'bigint' && BigInt.asIntN(64, value) === value
        : isMomentNumber(value)
    case 'float64':
      return typeof value === 'number'
    case 'bool':
      return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string' && value.isWellFormed()
    case 'bytes':
      return isHexText(value)
    case 'uuid':
      return isUuidText(value)
    case 'json':
      return true
  }
}

function isType(value: unknown): value is Type {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
