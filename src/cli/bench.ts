import { type BenchResult, disagreementsOf } from '../bench/result.ts'
import type { Cells } from '../bench/table.ts'
import { ConfigurationError } from '../model/errors.ts'
import { nearest } from '../model/suggest.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { parseCount } from './options.ts'
import { renderTable } from './table.ts'
import { defineVerb } from './verb.ts'

const text = { type: 'string', requiresArg: true } as const

export const bench = defineVerb({
  positionals: [],
  options: {
    size: { ...text, value: 'size', default: 'smoke', describe: 'smoke (100,000 events), 1m, 10m or 100m' },
    workload: { ...text, array: true, value: 'name', describe: 'Only this workload; may be given several times' },
    contender: { ...text, array: true, value: 'name', describe: 'Only this contender; may be given several times' },
    rounds: { ...text, value: 'count', default: '5', describe: 'How often each contender does each workload' },
    seed: { ...text, value: 'number', default: '42', describe: 'What the invented events depend on' },
    data: { ...text, value: 'folder', default: 'data/generated/bench', describe: 'Where the logs are made and kept' },
    out: { ...text, value: 'folder', default: 'bench-results', describe: 'The folder for JSON, chart and page' },
  },
  examples: [
    ['--size smoke', 'all workloads over 100,000 events: what starting costs'],
    ['--size 10m', 'the usual size: 1.5 GB of logs, and half an hour or more'],
    ['--size 1m --workload balances --contender duckdb --contender refold-2', 'one question'],
  ],
  async run(given, { output, interruptible }) {
    const { runBenchmark } = await import('../bench/benchmark.ts')
    const { contenders } = await import('../bench/contender.ts')
    const { sizeNames } = await import('../bench/sizes.ts')
    const { requireLocal } = await import('../storage/local-path.ts')
    const { workloadNames } = await import('../bench/workloads.ts')
    requireLocal(given.out, 'write reports to')
    const [size] = namesOf('size', [given.size], sizeNames)
    const workloads = namesOf('workload', given.workload, workloadNames)
    const names = contenders.map(({ name }) => name)
    const result = await runBenchmark({
      size: size ?? 'smoke',
      ...(workloads.length === 0 ? {} : { workloads }),
      ...(given.contender === undefined ? {} : { contenders: namesOf('contender', given.contender, names) }),
      rounds: parseCount('rounds', given.rounds, 1, 1000),
      seed: parseCount('seed', given.seed, 0, 2 ** 32 - 1),
      data: requireLocal(given.data, 'make logs in'),
      signal: interruptible(),
      onStep: (step) => output.note(step),
    })
    const { writeReports } = await import('../bench/report-files.ts')
    const paths = writeReports(result, given.out)
    await output.result(given.json ? toJson(result) : await describeResult(result))
    output.note(`Written: ${paths.join(', ')}`)
    return exitCodeOf(result, (line) => output.error(line))
  },
})

/** The names given, each of which must be known. */
function namesOf<Name extends string>(
  option: string,
  given: readonly string[] | undefined,
  known: readonly Name[],
): Name[] {
  return (given ?? []).map((name) => {
    const found = known.find((candidate) => candidate === name)
    if (found !== undefined) return found
    const meant = nearest(name, known)
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
    throw new ConfigurationError(`--${option}: expected ${known.join(', ')}, found ${name}.${hint}`)
  })
}

async function describeResult(result: BenchResult): Promise<string> {
  const { figureCells, meanCells, notesOf } = await import('../bench/table.ts')
  const notes = notesOf(result).map((note) => `${note}\n`)
  const means = result.means.length === 0 ? '' : `\nGeometric means:\n${draw(meanCells(result))}`
  return `${draw(figureCells(result))}${means}\n${notes.join('')}`
}

function draw({ headers, numeric, rows }: Cells): string {
  return renderTable(
    headers.map((header, index) => ({ header, align: numeric[index] ? 'right' : 'left' })),
    rows,
  )
}

/** Different rows weigh more than a contender that failed: they put all figures in doubt. */
export function exitCodeOf(result: BenchResult, note: (line: string) => void): number {
  let exitCode: number = ExitCode.done
  for (const { workload, entries } of result.workloads) {
    for (const { contender, failed, remark } of entries) {
      if (!failed) continue
      note(`refold: ${workload}: ${contender} ${remark}`)
      exitCode = ExitCode.failed
    }
  }
  const disagreements = result.workloads.flatMap(disagreementsOf)
  if (disagreements.length === 0) return exitCode
  note('refold: the contenders did not give the same rows:')
  for (const disagreement of disagreements) note(disagreement)
  return ExitCode.difference
}
