import { ConfigurationError } from '../model/errors.ts'
import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { printDifferences } from './print-diff.ts'
import { inputOption } from './rebuild-options.ts'
import { type Context, defineVerb, outOption } from './verb.ts'
import { type NamedView, withView } from './view-at.ts'
import { jobOption } from './view-job.ts'

const keysDefault = 20
const formats = ['table', 'ndjson', 'csv'] as const

export const diff = defineVerb({
  positionals: [
    { name: 'view', describe: "The view's name" },
    {
      name: 'before',
      describe: 'A generation: its name or number. Default: the one before the current',
      optional: true,
    },
    { name: 'after', describe: 'The generation it is compared with. Default: the current', optional: true },
  ],
  options: {
    'known-at': {
      type: 'string',
      value: 'moment',
      array: true,
      requiresArg: true,
      describe:
        'Compare what was known at this moment with a second one; where it is given once with the current generation, or a generation that is named with it; rebuilt for this from the job',
    },
    'as-of': {
      type: 'string',
      value: 'moment',
      array: true,
      requiresArg: true,
      describe: 'The same for what had occurred up to a moment; given once beside two --known-at it counts for both',
    },
    ...jobOption,
    ...inputOption,
    'all-columns': {
      type: 'boolean',
      default: false,
      describe: 'Compare knownThrough too, which a rebuild moves on in every row of a view with windows',
    },
    format: { type: 'string', value: formats.join('|'), default: 'table', requiresArg: true, describe: 'How' },
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `Maximum number of keys. Default: ${keysDefault} in a table or as JSON, else all`,
    },
    ...outOption,
  },
  examples: [
    ['balances', 'what the last rebuild changed'],
    ['balances 12 14', 'generation 12 compared with generation 14'],
    ['balances 12 --format ndjson', 'all that changed since generation 12, one JSON object a row'],
    ['daily-cases --known-at 2021-05-22 --known-at 2021-05-23', 'what became known on one day'],
    ['daily-cases --known-at 2021-05-22', 'what became known since'],
    ['daily-cases 12 --known-at 2021-05-22', 'generation 12 compared with what was known then'],
  ],
  async run(given, context) {
    const format = formats.find((candidate) => candidate === given.format)
    if (format === undefined) {
      throw new ConfigurationError(`--format: expected one of ${formats.join(', ')}, found ${given.format}.`)
    }
    if (given.json && format !== 'table') {
      throw new ConfigurationError(`--json and --format ${format} exclude each other.`)
    }
    const shown = given.json ? 'json' : format
    const limitDefault = format === 'table' ? keysDefault : Number.POSITIVE_INFINITY
    const limit =
      given.limit === undefined ? limitDefault : parseCount('limit', given.limit, 0, Number.MAX_SAFE_INTEGER)
    const [view] = given.values as [string]
    const sides = await sidesOf(given)
    return withSide(sides[0], given, view, context, (before) =>
      withSide(sides[1], given, view, context, async (after) => {
        const { ViewComparison } = await import('../read/diff.ts')
        const comparison = new ViewComparison(before, after, given.allColumns)
        await printDifferences(comparison, shown, limit, context.output)
        return ExitCode.done
      }),
    )
  },
})

interface GivenDiff {
  readonly values: readonly string[]
  readonly knownAt?: readonly string[] | undefined
  readonly asOf?: readonly string[] | undefined
  readonly job?: string | undefined
  readonly input?: readonly string[] | undefined
  readonly out: string
  readonly quiet: boolean
}

/** One of the two that are compared: a generation, or what was known or had occurred at a moment. */
type Side =
  | { readonly generation: string | undefined }
  | { readonly knownAt: string | undefined; readonly asOf: string | undefined }

async function sidesOf(given: GivenDiff): Promise<readonly [Side, Side]> {
  const [view, first, second] = given.values as [string, string?, string?]
  const moments = Math.max(given.knownAt?.length ?? 0, given.asOf?.length ?? 0)
  if (moments === 0 && (given.job ?? given.input) !== undefined) {
    const option = given.job === undefined ? '--input' : '--job'
    throw new ConfigurationError(
      `${option} is for --known-at and --as-of, which rebuild the view; generations are as they were built.`,
    )
  }
  if (moments > 2) throw new ConfigurationError('--known-at and --as-of: expected at most two of each, found more.')
  const generations = given.values.length - 1
  if (moments + generations > 2) {
    throw new ConfigurationError(
      `Cannot compare ${generations + moments} things: expected two, of generations and moments together.`,
    )
  }
  const momentOf = (index: number): Side => ({
    knownAt: given.knownAt?.[Math.min(index, given.knownAt.length - 1)],
    asOf: given.asOf?.[Math.min(index, given.asOf.length - 1)],
  })
  if (moments === 2) return [momentOf(0), momentOf(1)]
  // A generation that is named is the one before.
  if (moments === 1) {
    return first === undefined ? [momentOf(0), { generation: undefined }] : [{ generation: first }, momentOf(0)]
  }
  if (first !== undefined) return [{ generation: first }, { generation: second }]
  return [{ generation: await previousOf(given.out, view) }, { generation: undefined }]
}

async function previousOf(out: string, view: string): Promise<string> {
  const { findView } = await import('../read/view-files.ts')
  const { manifest } = findView(out, view)
  if (manifest.previous !== null) return manifest.previous
  throw new ConfigurationError(
    `Cannot compare the current generation of view ${view} with the one before: ${manifest.generation} is the first. Name two generations, or a moment with --known-at.`,
  )
}

function withSide<T>(
  side: Side,
  given: GivenDiff,
  view: string,
  context: Context,
  work: (found: NamedView) => Promise<T>,
): Promise<T> {
  const { out, quiet, job, input } = given
  // The job is for the side that is rebuilt.
  return 'generation' in side
    ? withView({ out, quiet, generation: side.generation }, view, context, work)
    : withView({ out, quiet, job, input, ...side }, view, context, work)
}
