import { ConfigurationError } from '../model/errors.ts'
import { logsOf } from '../model/view.ts'
import { toJson } from '../read/json.ts'
import { disk } from '../storage/disk.ts'
import { ExitCode } from './failure.ts'
import type { Output } from './output.ts'
import { describeFiles, describeSurveys } from './print-inspection.ts'
import { defineVerb } from './verb.ts'
import { withJob } from './with-job.ts'

export const inspect = defineVerb({
  positionals: [
    {
      name: 'source',
      describe:
        'A job file, whose logs are read whole; or a glob, a folder or a file, of which only the footers are read',
    },
  ],
  options: {
    lateness: {
      type: 'string',
      value: 'thresholds',
      valueOptional: true,
      describe:
        'How many events several tolerated latenesses would call late, and how long figures would stay provisional. Default: 1, 2, 3, 7, 14 and 30 days',
    },
  },
  examples: [
    ["'data/ledger/**/*.parquet'", 'files, columns and how they differ from file to file'],
    ['jobs/ledger.ts', 'also event types, time range, order, gaps, duplicates and delays of its logs'],
    ['jobs/ledger.ts --lateness', 'what to choose as allowedLateness'],
    ["jobs/ledger.ts --lateness '6 hours, 1 day'", 'the same for other thresholds'],
  ],
  async run(given, { output }) {
    const source = given.values[0]!
    if (given.lateness !== undefined) return inspectLateness(source, given.lateness, given.json, output)
    const { inspectFiles } = await import('../inspect/inspect-files.ts')
    if (!isJob(source)) {
      const files = inspectFiles(source, source)
      await output.result(given.json ? toJson(files) : describeFiles(files, output.width))
      return ExitCode.done
    }
    const { surveyJob } = await import('../inspect/survey-job.ts')
    const surveys = await withJob(source, async (job) => {
      const read = job.definition.views.flatMap(logsOf).filter(({ view }) => view === undefined)
      const logs = new Map(read.map((log) => [log.name, log]))
      const files = [...logs.values()].map((log) => inspectFiles(log.name, log.files))
      // The footers are reported even where the log doesn't fit its declaration: they show why.
      if (!given.json) for (const each of files) await output.result(`${describeFiles(each, output.width)}\n`)
      const events = await surveyJob(job)
      return events.map((survey, index) => ({ ...survey, files: files[index]! }))
    })
    await output.result(given.json ? toJson(surveys) : describeSurveys(surveys, output.width))
    return ExitCode.done
  },
})

async function inspectLateness(source: string, text: string, json: boolean, output: Output): Promise<number> {
  if (!isJob(source)) {
    throw new ConfigurationError(
      `--lateness: expected a job, found ${source}: only a job says which columns are occurredAt and recordedAt.`,
    )
  }
  const [{ parseThresholds, surveyJobLateness }, { describeLateness }] = await Promise.all([
    import('../inspect/lateness.ts'),
    import('./print-lateness.ts'),
  ])
  const thresholds = parseThresholds(text === '' ? undefined : text.split(','), '--lateness')
  const found = await withJob(source, (job) => surveyJobLateness(job, thresholds, '--lateness'))
  await output.result(json ? toJson(found) : describeLateness(found, output.width))
  return ExitCode.done
}

function isJob(source: string): boolean {
  return /\.[cm]?[jt]s$/.test(source) && (disk.stat(source)?.kind ?? 'file') === 'file'
}
