import type { GenerationEntry } from '../read/history.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { formatBytes, formatCount, formatCounted } from './numbers.ts'
import { renderTable } from './table.ts'
import { defineVerb, outOption } from './verb.ts'

const hashDigitsShown = 12

export const history = defineVerb({
  positionals: [{ name: 'view', describe: "The view's name; all views where none is named", optional: true }],
  options: outOption,
  examples: [
    ['balances', 'its generations, oldest first; * marks the current one'],
    ['--json', 'those of all views, for a program'],
  ],
  async run(given, { output }) {
    const [wanted] = given.values
    const { historyOf } = await import('../read/history.ts')
    const entries = historyOf(given.out, wanted, (reason) => output.error(reason))
    if (given.json) await output.result(toJson(entries))
    else if (entries.length === 0) output.note(`There are no views in ${given.out}.`)
    else await output.result(describeEntries(entries, output.width))
    return ExitCode.done
  },
})

/** `3 files`, or `2 files, 1 lost`: how many it was built from, and what became of those of the generation before. */
function describeInputs({ inputs, goneInputs, lostInputs }: GenerationEntry): string {
  if (inputs === null) return ''
  const gone = goneInputs?.length ?? 0
  const change = gone === 0 ? '' : `, ${gone} ${lostInputs === null ? 'rewritten' : 'lost'}`
  return `${formatCounted(inputs, 'file')}${change}`
}

function describeEntries(entries: readonly GenerationEntry[], width?: number): string {
  const right = 'right' as const
  const columns = [
    { header: 'view' },
    { header: '' },
    { header: 'generation' },
    { header: 'written' },
    { header: 'rows', align: right },
    { header: 'keys', align: right },
    { header: 'size', align: right },
    { header: 'logic' },
    { header: 'inputs' },
    { header: 'options' },
  ]
  const rows = entries.map((entry) => [
    entry.view,
    entry.current ? '*' : '',
    entry.generation,
    entry.writtenAt === null ? 'damaged' : `${entry.writtenAt.slice(0, 19)}Z`,
    entry.rows === null ? '' : formatCount(entry.rows),
    entry.keys === null ? '' : formatCount(entry.keys),
    entry.bytes === null ? '' : formatBytes(entry.bytes),
    entry.fingerprint?.slice(0, hashDigitsShown) ?? '',
    describeInputs(entry),
    [entry.knownAt && `known at ${entry.knownAt}`, entry.asOf && `as of ${entry.asOf}`].filter(Boolean).join(', '),
  ])
  return renderTable(columns, rows, width)
}
