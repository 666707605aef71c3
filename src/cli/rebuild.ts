import * as engine from '../engine.ts'
import type { RebuildReport } from '../model/report.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { formatCount, formatCounted } from './numbers.ts'
import { parseCount } from './options.ts'
import { orderNotes } from './print-order.ts'
import { describePlan } from './print-plan.ts'
import { describeReport } from './print-report.ts'
import { rebuildOptionSpecs, rebuildOptionsOf } from './rebuild-options.ts'
import { defineVerb } from './verb.ts'
import { withJob } from './with-job.ts'

export const rebuild = defineVerb({
  positionals: [{ name: 'job', describe: 'The job file, as jobs/ledger.ts' }],
  options: {
    ...rebuildOptionSpecs,
    'dry-run': { type: 'boolean', default: false, describe: 'Print the plan and do nothing' },
    'max-exceptions': {
      type: 'string',
      value: 'count',
      default: '0',
      requiresArg: true,
      describe: 'Quarantined and late events that are allowed in a view; with more the exit code is 3',
    },
  },
  examples: [
    ['jobs/ledger.ts', 'all views of the job'],
    ['jobs/ledger.ts --view balances --workers 4', 'one view, on four threads'],
    ['jobs/ledger.ts --known-at 2021-05-22T06:00:00Z', 'the views as they would have been that morning'],
    ['jobs/ledger.ts --vintages day', 'the views, and beside them what they were at the end of each day'],
    ['jobs/ledger.ts --dry-run', 'what would be done'],
  ],
  async run(given, { output, signal, interruptible }) {
    const options = rebuildOptionsOf(given)
    const exceptionsMax = parseCount('max-exceptions', given.maxExceptions, 0, Number.MAX_SAFE_INTEGER)
    const path = given.values[0]!
    if (given.dryRun) {
      const plan = await withJob(path, (job) => engine.planRebuild(job, options))
      await output.result(given.json ? toJson(plan) : describePlan(plan, output.width))
      return ExitCode.done
    }
    const { showProgress } = await import('./progress.ts')
    const progress = showProgress(process.stderr, process.stdout, given.quiet)
    const report = await withJob(path, (job) =>
      engine.rebuild(job, {
        ...options,
        signal,
        onProgress: (now) => progress.update(now),
        // Without threads this one is busy, and only a signal that kills it can stop it.
        onThreads: (threads) => {
          if (threads > 0) interruptible()
        },
      }),
    ).finally(progress.finish)
    await output.result(given.json ? toJson(report) : describeReport(report, output.width))
    for (const { view, order } of report.views) {
      if (order !== null) for (const note of orderNotes(view, order)) output.note(note)
    }
    for (const { view, corrections, outcome } of report.views) {
      if (outcome === 'unchanged' || corrections === 0) continue
      output.note(
        `${formatCounted(corrections, 'published figure')} of ${view} changed; refold corrections ${view} lists them with their causes.`,
      )
    }
    return exitCodeOf(report, exceptionsMax, (line) => output.error(line))
  },
})

/** Exceptions are events that are missing from the view; those it filters itself and repetitions are not. */
function exitCodeOf(report: RebuildReport, exceptionsMax: number, note: (line: string) => void): number {
  let exceeded = false
  for (const { view, counters } of report.views) {
    const exceptions = counters.quarantined + counters.late
    if (exceptions <= exceptionsMax) continue
    exceeded = true
    note(
      `refold: ${view} was published without ${formatCounted(exceptions, 'event')} (${formatCount(counters.quarantined)} ` +
        `quarantined, ${formatCount(counters.late)} late); --max-exceptions allows ${formatCount(exceptionsMax)}.`,
    )
  }
  return exceeded ? ExitCode.exceptions : ExitCode.done
}
