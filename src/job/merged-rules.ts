import { canonicalJson } from '../model/canonical-json.ts'
import type { RoleSource } from '../model/log.ts'
import type { Type } from '../model/type.ts'
import { type AnyLog, type LogView, type MergedView, sharesOf } from '../model/view.ts'
import { describeLog } from './describe.ts'

/** What logs get wrong that one view is to read together, and how it names them. */
export function mergedProblems(view: MergedView): string[] {
  const { logs } = view
  if (logs.length < 2)
    return [`logs: expected at least two logs, found ${logs.length}; a view of one log names it as log`]
  const names = logs.map(({ name }) => name)
  const repeated = names.filter((name, index) => names.indexOf(name) !== index)
  if (repeated.length > 0) return [...new Set(repeated)].map((name) => repeatedProblem(logs, name))
  return [
    ...momentProblems(logs),
    ...sourceProblems(logs),
    ...nameProblems(view, names),
    ...sharesOf(view).flatMap(handlerProblems),
    ...keyProblems(view),
  ]
}

function repeatedProblem(logs: readonly AnyLog[], name: string): string {
  const described = logs.filter((log) => log.name === name).map((log) => canonicalJson(describeLog(log, String)))
  return new Set(described).size === 1
    ? `logs: log "${name}" is listed twice; list it once`
    : `logs: two logs have the name "${name}", by which handlers tell them apart; give one of them another name`
}

/** Events of several logs are put in order by when they were recorded, so those moments must be comparable. */
function momentProblems(logs: readonly AnyLog[]): string[] {
  const problems = logs
    .filter(({ columns }) => columns.recordedAt === undefined)
    .map(
      ({ name }) =>
        `logs: log "${name}" doesn't say when it received its events, by which those of several logs are put in order; name the column in columns.recordedAt`,
    )
  const describeEach = (of: (log: AnyLog) => string) => logs.map((log) => `"${log.name}" in ${of(log)}`).join(', ')
  if (new Set(logs.map(({ timeUnit }) => timeUnit)).size > 1) {
    const found = describeEach(({ timeUnit }) => timeUnit)
    problems.push(
      `logs: expected logs of one timeUnit, as their moments are compared, found ${found}; declare the same timeUnit on all of them`,
    )
  }
  if (new Set(logs.map(({ zone }) => zone)).size > 1) {
    const found = describeEach(({ zone }) => zone)
    problems.push(
      `logs: expected logs of one zone, as their days are those of one view, found ${found}; declare the same zone on all of them`,
    )
  }
  return problems
}

/** Rows are not recorded, they become what they are when their view is built. */
function sourceProblems(logs: readonly AnyLog[]): string[] {
  return logs
    .filter(({ view }) => view !== undefined)
    .map(
      ({ name }) =>
        `logs: "${name}" is made of the rows of a view, which are no events; a view of rows reads nothing else`,
    )
}

/** Names of logs that the view doesn't read. */
function nameProblems({ on, keyBy, filter, window }: MergedView, names: readonly string[]): string[] {
  const options = { on, keyBy, filter, 'window.measure': window?.measure }
  return Object.entries(options).flatMap(([option, byLog]) =>
    Object.keys(byLog ?? {})
      .filter((name) => !names.includes(name))
      .map((name) => `${option}.${name}: the view reads no log of this name, but ${names.join(' and ')}`),
  )
}

function handlerProblems({ log, on }: LogView): string[] {
  if (Object.values(on).some((handler) => handler !== undefined)) return []
  return [
    `on.${log.name}: expected at least one handler, found none; '*' handles every type of a log. Leave a log without handlers out of logs`,
  ]
}

/** Events of all logs go to the same keys. */
function keyProblems(view: MergedView): string[] {
  if (view.key !== undefined || view.window !== undefined) return []
  const keys = view.logs.flatMap((log) => {
    const key = keyColumnOf(log)
    return key === undefined ? [] : [{ log: log.name, ...key }]
  })
  const differs = (of: (key: (typeof keys)[number]) => string) => new Set(keys.map(of)).size > 1
  const problems: string[] = []
  if (differs(({ type }) => type)) {
    const found = keys.map(({ log, type }) => `"${log}" has ${type}`).join(', ')
    problems.push(`key: expected logs whose keys have one type, found ${found}; declare key and keyBy`)
  }
  if (differs(({ name }) => name)) {
    const found = keys.map(({ log, name }) => `"${log}" has ${name}`).join(', ')
    problems.push(`key: expected logs whose key columns have one name, found ${found}; declare key and keyBy`)
  }
  return problems
}

/** The name of a log's key column in a view, and its type in words; undefined where it has none. */
function keyColumnOf({ columns, timeUnit }: AnyLog): { readonly name: string; readonly type: string } | undefined {
  const role: RoleSource | undefined = columns.key
  if (role === undefined) return undefined
  const type: Type = typeof role === 'string' ? { kind: 'string', nullable: false } : role
  const { kind, precision, scale, unit } = type
  const details = [kind === 'timestamp' ? (unit ?? timeUnit) : undefined, precision, scale].filter(
    (one) => one !== undefined,
  )
  return { name: keyColumnName(role), type: `${kind}(${details.join(', ')})` }
}

/** What a log's key column is called in the files of views that declare no key. */
export function keyColumnName(role: RoleSource): string {
  if (typeof role === 'string') return role
  return typeof role.from === 'string' ? role.from : (role.from?.at(-1) ?? 'key')
}
