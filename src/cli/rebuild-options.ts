/** The options of `rebuild` and `plan`, which are the same: a plan is of a rebuild. */
import { availableParallelism } from 'node:os'
import type { RebuildOptions } from '../model/report.ts'
import { parseBytes, parseCount } from './options.ts'
import { type Given, type OptionSpecs, outOption } from './verb.ts'

const workersMax = 256

export const rebuildOptionSpecs = {
  view: {
    type: 'string',
    value: 'name',
    array: true,
    requiresArg: true,
    describe: 'Only this view of the job; may be given several times',
  },
  'known-at': {
    type: 'string',
    value: 'moment',
    requiresArg: true,
    describe: 'Keep only events recorded up to this moment (ISO 8601)',
  },
  'as-of': {
    type: 'string',
    value: 'moment',
    requiresArg: true,
    describe: 'Keep only events that occurred up to this moment (ISO 8601)',
  },
  workers: {
    type: 'string',
    value: 'count',
    requiresArg: true,
    describe: 'Number of worker threads; 0 works in the main thread, for debugging. Default: one for each processor',
  },
  memory: {
    type: 'string',
    value: 'size',
    requiresArg: true,
    describe: 'Memory to keep events in between reading and folding, as 512MB; beyond it they are spilled to disk',
  },
  ...outOption,
} as const satisfies OptionSpecs

export function rebuildOptionsOf(given: Given<typeof rebuildOptionSpecs>): RebuildOptions {
  const { view, knownAt, asOf, memory, workers } = given
  return {
    ...(view !== undefined && { views: view.flatMap((names) => names.split(',')) }),
    ...(knownAt !== undefined && { knownAt }),
    ...(asOf !== undefined && { asOf }),
    ...(memory !== undefined && { memoryBytes: parseBytes('memory', memory) }),
    workers: workers === undefined ? availableParallelism() : parseCount('workers', workers, 0, workersMax),
    out: given.out,
  }
}
