import { ConfigurationError } from '../model/errors.ts'
import type { LogBounds, MayReturn } from '../model/plan.ts'
import type { RebuildOptions, Strategy, VintageLength } from '../model/report.ts'
import { logsOf, type ViewDefinition } from '../model/view.ts'
import { requireLocal } from '../storage/local-path.ts'
import type { Store } from '../storage/store.ts'
import { outputFields, vintageName } from '../view/view-set.ts'

/** Which names of an event a function reads; `all` where that can't be determined. */
export type FieldsRead = (fn: (...args: never[]) => unknown, parameter: number) => ReadonlySet<string> | 'all'

/** What functions do, found in their text. */
export interface FunctionTexts {
  readonly fieldsRead: FieldsRead
  readonly returnsOf: (fn: (...args: never[]) => unknown) => MayReturn
}

/** By view: the part files that hold its rows. */
export type RowsOfViews = ReadonlyMap<string, readonly string[]>

/** What a plan is made of. */
export interface PlanInput extends FunctionTexts {
  readonly job: string
  readonly views: readonly ViewDefinition[]
  /** By log: what to read instead of the files its definition names. */
  readonly inputs?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** By view whose rows are a log: its part files. */
  readonly rows?: RowsOfViews | undefined
  /** Moments as they were given: only events recorded, occurred up to them (inclusive). */
  readonly knownAt?: string | undefined
  readonly asOf?: string | undefined
  /** Keep the views as they were known at every end of this. */
  readonly vintages?: VintageLength | undefined
  /** Between which moments the events of logs and partitions must also have been recorded. */
  readonly recorded?: LogBounds | undefined
  /** How every view is to be folded; absent: as is best. */
  readonly strategy?: Strategy | undefined
  readonly files: Store
}

/** @throws ConfigurationError where a folder of a rebuild is a URL. */
export function refuseUrls({ out, spillFolder }: Pick<RebuildOptions, 'out' | 'spillFolder'>): void {
  requireLocal(out, 'use views in')
  if (spillFolder !== undefined) requireLocal(spillFolder, 'spill to')
}

/** Only logs that a view reads can be read from other files. */
export function refuseInputs({ inputs }: Pick<PlanInput, 'inputs'>, logs: readonly string[]): void {
  for (const name of Object.keys(inputs ?? {})) {
    if (!logs.includes(name))
      throw new ConfigurationError(`Cannot read log ${name} from other files: the views read ${logs.join(', ')}.`)
  }
}

/** Vintages need a log that says when it recorded its events. */
export function refuseVintages(views: readonly ViewDefinition[]): void {
  for (const view of views) {
    const { name, key, window } = view
    const source = view.log?.view
    if (source !== undefined) {
      throw new ConfigurationError(
        `--vintages: view ${name} is made of the rows of view ${source.name}, which don't say when they became so. Leave it out with --view.`,
      )
    }
    const undated = logsOf(view).find(({ columns }) => columns.recordedAt === undefined)
    if (undated !== undefined) {
      throw new ConfigurationError(
        `--vintages: log ${undated.name} of view ${name} has no recordedAt column, so it isn't known what was known when. Declare columns.recordedAt, or leave out the view with --view.`,
      )
    }
    const rewriting = logsOf(view).find(({ duplicates }) => duplicates?.keep === 'last')
    if (rewriting !== undefined) {
      throw new ConfigurationError(
        `--vintages: log ${rewriting.name} of view ${name} keeps the last delivery of an event, so what was known at a moment can't be told from one scan. Declare duplicates.keep: 'first', or ask for single moments with --known-at.`,
      )
    }
    const columns = [window?.name, ...Object.keys(key ?? {}), ...Object.keys(outputFields(view))]
    if (columns.includes(vintageName)) {
      throw new ConfigurationError(
        `--vintages: view ${name} has a column ${vintageName}, which is the name of the column that its vintages add. Rename it.`,
      )
    }
  }
}
