import { planRebuild } from '../engine.ts'
import { toJson } from '../read/json.ts'
import { ExitCode } from './failure.ts'
import { describePlan } from './print-plan.ts'
import { rebuildOptionSpecs, rebuildOptionsOf } from './rebuild-options.ts'
import { defineVerb } from './verb.ts'
import { withJob } from './with-job.ts'

export const plan = defineVerb({
  positionals: [{ name: 'job', describe: 'The job file, as jobs/ledger.ts' }],
  options: {
    ...rebuildOptionSpecs,
    'dry-run': { type: 'boolean', default: false, describe: 'Changes nothing: a plan never does anything' },
  },
  examples: [
    ['jobs/ledger.ts', 'what would be read, and how each view would be made'],
    ['jobs/ledger.ts --view balances --json', 'the same of one view, for a program'],
  ],
  async run(given, { output }) {
    const options = rebuildOptionsOf(given)
    const made = await withJob(given.values[0]!, (job) => planRebuild(job, options))
    await output.result(given.json ? toJson(made) : describePlan(made, output.width))
    return ExitCode.done
  },
})
