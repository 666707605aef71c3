import { ConfigurationError } from '../model/errors.ts'
import type { Manifest } from '../model/manifest.ts'
import type { NamedColumn } from './arrow.ts'
import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { printRows, type RowFormat, requireFormat, rowOptionSpecs } from './rows.ts'
import { defineVerb, outOption } from './verb.ts'

const tableRowsDefault = 20
/** What a table shows: the rest is for programs. */
const shownInTable = ['key', 'column', 'old', 'new', 'cause', 'events', 'was_final', 'first_published_at']

export const corrections = defineVerb({
  summary: 'List the published figures that a rebuild changed, with the cause',
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
      describe: 'Those of this generation and all that were published upon it; "all" goes back as far as there are any',
    },
    limit: {
      type: 'string',
      value: 'count',
      requiresArg: true,
      describe: `At most so many notices. Default: ${tableRowsDefault} in a table, else all`,
    },
    ...outOption,
  },
  examples: [
    ['daily-cases', 'what the current generation corrected'],
    ['daily-cases --since 12 --format csv', 'all corrections from generation 12 on'],
    ['daily-cases --since all --json', 'all there are, one JSON object a line, with the events behind each'],
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
    const generations = await generationsOf(given, view)
    const total = generations.reduce((sum, manifest) => sum + countOf(manifest), 0)
    if (total === 0) output.note(`No published figure of view ${view} was corrected ${describe(generations)}.`)
    if (total === 0 && format === 'table') return ExitCode.done
    const { correctionBatches } = await import('./correction-batches.ts')
    const batches = correctionBatches(given.out, generations)
    await printRows({ total, batches: selected(batches, format) }, format, limit, output)
    return ExitCode.done
  },
})

async function generationsOf(
  {
    out,
    generation,
    since,
  }: { readonly out: string; readonly generation?: string | undefined; readonly since?: string | undefined },
  view: string,
): Promise<readonly Manifest[]> {
  const [{ disk }, { generationNumber, readManifest, resolveGeneration }, { publishedGenerations }] = await Promise.all(
    [import('../storage/disk.ts'), import('../storage/generations.ts'), import('../notify/notices.ts')],
  )
  if (since === undefined) return [readManifest(out, view, resolveGeneration(out, view, generation))]
  const first = since === 'all' ? 0 : generationNumber(resolveGeneration(out, view, since))!
  return publishedGenerations(out, view, first - 1, disk)
}

function countOf({ corrections: files }: Manifest): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}

function describe(generations: readonly Manifest[]): string {
  const [first] = generations
  return generations.length === 1 ? `by generation ${first!.generation}` : `since generation ${first!.generation}`
}

function* selected(batches: Iterable<readonly NamedColumn[]>, format: RowFormat): Generator<readonly NamedColumn[]> {
  for (const columns of batches) {
    yield format === 'table' ? columns.filter(({ name }) => shownInTable.includes(name)) : columns
  }
}
