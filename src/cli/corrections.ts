import { ConfigurationError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { printRows, requireFormat, rowOptionSpecs } from './rows.ts'
import { defineVerb, outOption } from './verb.ts'

const tableRowsDefault = 20

export const corrections = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name" }],
  options: {
    ...rowOptionSpecs,
    generation: {
      type: 'string',
      value: 'name',
      requiresArg: true,
      describe: 'Those of another than the current generation',
    },
    since: {
      type: 'string',
      value: 'name',
      requiresArg: true,
      describe: 'Those of this generation and all published after it; "all" includes every generation there is',
    },
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `Maximum number of notices. Default: ${tableRowsDefault} in a table, else all`,
    },
    ...outOption,
  },
  examples: [
    ['daily-cases', 'what the current generation corrected'],
    ['daily-cases --since 12 --format csv', 'all corrections from generation 12 on'],
    ['daily-cases --since all --json', 'all there are, one JSON object a line, with the events that caused each'],
  ],
  async run(given, { output }) {
    const format = requireFormat(given)
    if (given.generation !== undefined && given.since !== undefined) {
      throw new ConfigurationError('--generation and --since exclude each other.')
    }
    const limitDefault = format === 'table' ? tableRowsDefault : Number.POSITIVE_INFINITY
    const limit =
      given.limit === undefined ? limitDefault : parseCount('limit', given.limit, 0, Number.MAX_SAFE_INTEGER)
    const [view] = given.values as [string]
    const { correctedGenerations, correctionBatches } = await import('../read/corrections.ts')
    const { generation, since } = given
    const named = { view: 'refold corrections', since: '--since' }
    const { manifests, gap } = correctedGenerations(given.out, view, { generation, since }, named)
    if (gap !== null) output.error(gap)
    const total = manifests.reduce((sum, manifest) => sum + countOf(manifest), 0)
    if (total === 0) output.note(`No published figure of view ${view} was corrected ${describe(manifests)}.`)
    if (total === 0 && format === 'table') return ExitCode.done
    const batches = correctionBatches(given.out, manifests)
    if (format !== 'table') {
      await printRows({ total, batches }, format, limit, output)
      return ExitCode.done
    }
    const { CorrectionTable } = await import('./correction-table.ts')
    const table = new CorrectionTable(manifests, given.since !== undefined)
    await printRows({ total, batches: table.select(batches, limit) }, format, limit, output)
    for (const detail of table.details) output.note(`Not all could be determined: ${detail}`)
    return ExitCode.done
  },
})

function countOf({ corrections: files }: Manifest): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}

function describe(generations: readonly Manifest[]): string {
  const [first] = generations
  return generations.length === 1 ? `by generation ${first!.generation}` : `since generation ${first!.generation}`
}
