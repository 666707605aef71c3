import { loadJob } from '../../src/job/load.ts'
import { buildScenario } from '../../src/scenario/scenario.ts'
import { disk } from '../../src/storage/disk.ts'

/**
 * Builds a scenario, says so, and ends without disposing of it once its input has ended. Arguments: a job file and a view.
 */
const [path, view] = process.argv.slice(2)
const job = await loadJob(path!)
await buildScenario({ job, view: view! }, { workers: 0 }, disk)
job.dispose()
process.stdout.write('.')
process.stdin.resume().once('end', () => process.exit())
