import { join } from 'node:path'
import type { ComparedGeneration } from '../compare/stream.ts'
import type { LoadedJob } from '../job/load.ts'
import type { LogPlan, Plan, RecordedBounds } from '../model/plan.ts'
import type { RebuildOptions, RebuildReport } from '../model/report.ts'
import type { Files } from '../storage/files.ts'
import { generationFolder, readManifest } from '../storage/generations.ts'

/** How the engine rebuilds: handed in, as it stands above this room. */
export interface Engine {
  rebuild(job: LoadedJob, options: RebuildOptions, bounds?: RecordedBounds): Promise<RebuildReport>
  planRebuild(job: LoadedJob, options: RebuildOptions, bounds?: RecordedBounds): Promise<Plan>
}

/** A view rebuilt with some things as they are now and others as they were, to be looked at once. */
export interface Variant {
  readonly view: string
  readonly job: LoadedJob
  /** Only these files of the log. */
  readonly paths: readonly string[]
  readonly knownAt: string | null
  readonly asOf: string | null
  readonly bounds: RecordedBounds
}

/** Rebuilds variants into folders of their own. */
export class VariantBuilder {
  readonly #engine: Engine
  readonly #options: RebuildOptions
  readonly #folder: string
  readonly #files: Files
  #built = 0

  constructor(engine: Engine, options: RebuildOptions, folder: string, files: Files) {
    this.#engine = engine
    this.#options = options
    this.#folder = folder
    this.#files = files
  }

  async build(variant: Variant): Promise<ComparedGeneration> {
    const out = join(this.#folder, String(this.#built++))
    const options = { ...this.#optionsOf(variant), out }
    const { views } = await this.#engine.rebuild(variant.job, options, variant.bounds)
    const [{ generation }] = views as [RebuildReport['views'][number]]
    const folder = generationFolder(out, variant.view, generation)
    return { folder, ...readManifest(out, variant.view, generation, this.#files) }
  }

  /** Which row groups of the variant statistics show to hold nothing. */
  async plan(variant: Variant): Promise<LogPlan> {
    const plan = await this.#engine.planRebuild(variant.job, this.#optionsOf(variant), variant.bounds)
    return plan.logs[0]!
  }

  #optionsOf({ view, job, paths, knownAt, asOf }: Variant): RebuildOptions {
    const { workers, spillFolder, signal, out } = this.#options
    // What was mapped for the view itself is still in memory.
    const memoryBytes = this.#options.memoryBytes && Math.ceil(this.#options.memoryBytes / 2)
    const { log } = job.definition.views.find(({ name }) => name === view)!
    return {
      out,
      views: [view],
      inputs: { [log.name]: paths },
      ...(knownAt !== null && { knownAt }),
      ...(asOf !== null && { asOf }),
      ...(workers !== undefined && { workers }),
      ...(memoryBytes !== undefined && { memoryBytes }),
      ...(spillFolder !== undefined && { spillFolder }),
      ...(signal !== undefined && { signal }),
    }
  }
}
