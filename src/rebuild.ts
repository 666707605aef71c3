import { buildAll } from './build.ts'
import { finishStaged, publishAll } from './commit/views.ts'
import { correctAll } from './correct/all.ts'
import type { LoadedJob } from './job/load.ts'
import type { RebuildOptions, RebuildReport } from './model/report.ts'
import { Stages } from './stages.ts'
import { type StartExecutor, startExecutor } from './start-executor.ts'
import { disk } from './storage/disk.ts'
import type { Disk } from './storage/store.ts'

/**
 * Rebuilds views from their logs: build → correct → commit.
 *
 * @param job From `loadJob`, or `loadedFromDefinition` (which runs with 0 workers only).
 * @param files The file system that this thread reads and publishes with.
 * @param start Starts what runs the tasks.
 * @returns What was published, with counters and times.
 * @throws ConfigurationError, InputError, ViewError, ConflictError or OutputError. Nothing is published then, unless the
 * OutputError says so: views are switched one after the other, and it names those that were.
 */
export async function rebuild(
  job: LoadedJob,
  options: RebuildOptions,
  files: Disk = disk,
  start: StartExecutor = startExecutor,
): Promise<RebuildReport> {
  const stages = new Stages(options)
  const built = await buildAll({ job, options, start, refusesUnfoundPaths: true }, stages, files)
  return finishStaged(built, files, async () => {
    // Only views that are made of logs have windows.
    const corrections = await stages.run('correct', () => correctAll(built[0]!, options, stages, files))
    return stages.run('commit', () => publishAll({ job, built, corrections, stages, only: options.views }, files))
  })
}
