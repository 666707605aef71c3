import { InputError } from '../model/errors.ts'
import type { FilePlan, LogPlan, Plan } from '../model/plan.ts'
import { nearest } from '../model/suggest.ts'
import { type AnyLog, type LogView, sharesOf, type ViewDefinition } from '../model/view.ts'
import { openParquet } from '../parquet/file.ts'
import { namesOnPath } from '../scan/path-names.ts'
import type { Store } from '../storage/store.ts'
import type { MapResult } from './map-split.ts'

type Mapped = readonly (readonly MapResult[])[]

/** Where only some of the events count, what occurs in none of them may occur in others. */
function readsAll({ knownAt, asOf, recorded }: LogPlan): boolean {
  return knownAt === null && asOf === null && recorded === null
}

/**
 * Refuses paths into documents and nested columns that lead to a value in no event: a misspelt one is null everywhere, and would
 * be published so. Where there is none, all documents are searched for the name, as it may be null in all of them.
 *
 * @param mapped By log: the results of its splits.
 * @throws InputError that names the nearest names found.
 */
export function refuseUnfoundPaths(plan: Plan, mapped: Mapped, files: Store): void {
  plan.logs.forEach((log, index) => {
    if (!readsAll(log)) return
    const occurring = mapped[index]!.map((result) => result.occurring)
    const found = new Set(occurring.flatMap((split) => split.found))
    for (const slot of new Set(occurring.flatMap((split) => split.sought))) {
      const isElsewhere = log.files.some(({ rows, sources }) => rows > 0 && sources[slot]!.kind === 'column')
      const { optional, whenMissing } = log.slots[slot]!.type
      if (found.has(slot) || isElsewhere || optional === true || whenMissing !== undefined) continue
      refuseIfAbsent(log, slot, files)
    }
  })
}

function refuseIfAbsent(log: LogPlan, slot: number, files: Store): void {
  /** By name: in how many events it is where the path ends. */
  const names = new Map<string, number>()
  let events = 0
  for (const file of log.files) {
    const source = file.sources[slot]!
    if (source.kind !== 'inside') continue
    if (withFile(file, files, (parquet) => namesOnPath(parquet, source, log.slots[slot]!.type, names))) return
    events += file.rows
  }
  const { name, type } = log.slots[slot]!
  const path = typeof type.from === 'string' ? type.from : (type.from ?? [name]).join('.')
  const last = path.split('.').at(-1)!
  const common = [...names].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([found]) => found)
  const meant = nearest(last, common)
  const shown = common.slice(0, NAMES_SHOWN).join(', ')
  throw new InputError(
    `Cannot read field "${name}" of log ${log.name}: "${path}" was found in none of ${events.toLocaleString('en')} events.` +
      `${meant === undefined ? '' : ` Did you mean "${meant}"?`} ${shown === '' ? 'There is nothing where it should be' : `Found there: ${shown}`}. ` +
      'Name the right path, or declare optional: true if events may have it later.',
    { column: path },
  )
}

const NAMES_SHOWN = 12

function withFile<T>(file: FilePlan, files: Store, work: (parquet: ReturnType<typeof openParquet>) => T): T {
  const readable = files.openForReading(file.path)
  try {
    return work(openParquet(readable))
  } finally {
    readable.close()
  }
}

/** Notes on types that a job names and no event has: a misspelt one leaves events out of a view, and so does one that is gone. */
export function unseenTypes(plan: Plan, views: readonly ViewDefinition[], mapped: Mapped): string[] {
  return plan.logs.flatMap((log, index) => {
    if (!readsAll(log) || log.rows === 0 || log.roles.type < 0) return []
    const own = views
      .flatMap(sharesOf)
      .filter((view) => view.log.name === log.name && log.groups.some((group) => group.views.includes(view.name)))
    const occurring = mapped[index]!.map((result) => result.occurring)
    const types = new Set(occurring.flatMap((split) => split.types))
    const upcastTypes = new Set(occurring.flatMap((split) => split.upcastTypes))
    return [...namedTypes(own)].flatMap(([name, { by, isOld }]) => {
      if ((isOld ? types : upcastTypes).has(name)) return []
      const meant = nearest(name, isOld ? types : upcastTypes)
      const hint = meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`
      return [
        `No event of log ${log.name} is of type ${JSON.stringify(name)}, which is named by ${by.join(', ')}${hint || '.'}`,
      ]
    })
  })
}

interface NamedType {
  /** What names it, in words. */
  readonly by: string[]
  /** Whether it is a type that is upcast. */
  readonly isOld: boolean
}

function namedTypes(views: readonly LogView[]): Map<string, NamedType> {
  const named = new Map<string, NamedType>()
  const add = (name: string, by: string, isOld: boolean) => {
    const known = named.get(name)
    if (known === undefined) named.set(name, { by: [by], isOld })
    else known.by.push(by)
  }
  const log: AnyLog | undefined = views[0]?.log
  for (const name of Object.keys((log?.upcast as object | undefined) ?? {})) add(name, 'an upcast', true)
  for (const name of (log?.types as readonly string[] | undefined) ?? []) add(name, "the log's types", false)
  for (const tie of log?.tieBreak ?? []) {
    if (typeof tie !== 'string') for (const name of tie.types) add(name, "the log's tieBreak", false)
  }
  for (const view of views) {
    for (const [name, handler] of Object.entries(view.on)) {
      if (name !== '*' && handler !== undefined) add(name, `a handler of view ${view.name}`, false)
    }
  }
  return named
}
