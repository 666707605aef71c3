/** The options of `rebuild` and `plan`, which are the same: a plan is of a rebuild. */

import { ConfigurationError } from '../model/errors.ts'
import { type RebuildOptions, type VintageLength, vintageLengths } from '../model/report.ts'
import { parseBytes, parseCount } from './options.ts'
import { type Given, type OptionSpecs, outOption } from './verb.ts'

const workersMax = 256

/** For verbs that read a job's logs. */
export const inputOption = {
  input: {
    type: 'string',
    value: 'log=files',
    array: true,
    requiresArg: true,
    describe: 'Read a log from these files instead of those the job names; may be given several times',
  },
} as const satisfies OptionSpecs

/** For verbs that show what was, or was known, at a moment. */
export const momentOptions = {
  'known-at': {
    type: 'string',
    value: 'moment',
    requiresArg: true,
    describe: "Keep only events recorded up to this moment (ISO 8601), or to the end of this day in the log's zone",
  },
  'as-of': {
    type: 'string',
    value: 'moment',
    requiresArg: true,
    describe:
      "Keep only events that occurred up to this moment (ISO 8601), or to the end of this day in the log's zone",
  },
} as const satisfies OptionSpecs

export const rebuildOptionSpecs = {
  view: {
    type: 'string',
    value: 'name',
    array: true,
    requiresArg: true,
    describe: 'Only this view of the job; may be given several times',
  },
  ...inputOption,
  'allow-missing-inputs': {
    type: 'boolean',
    default: false,
    describe:
      'Publish though files that the current generation was built from are gone, with rows that no other file has',
  },
  'take-over': {
    type: 'boolean',
    default: false,
    describe: 'Publish also views that another job published, which belong to this one from then on',
  },
  ...momentOptions,
  vintages: {
    type: 'string',
    value: 'period',
    requiresArg: true,
    describe:
      'Publish beside each view its rows as they were known at the end of every hour, day, week or month, as <view>-vintages',
  },
  workers: {
    type: 'string',
    value: 'count',
    requiresArg: true,
    describe:
      'Number of worker threads; 0 works in the main thread, for debugging. Default: one for each processor, 0 for small logs',
  },
  memory: {
    type: 'string',
    value: 'size',
    requiresArg: true,
    describe: "Memory the rebuild may use, as 512MB; beyond it events are spilled to disk. Default: half the machine's",
  },
  'spill-folder': {
    type: 'string',
    value: 'folder',
    requiresArg: true,
    describe: 'Where events are spilled to; the folder must exist. Default: the folder that holds the views',
  },
  ...outOption,
} as const satisfies OptionSpecs

export function rebuildOptionsOf(given: Given<typeof rebuildOptionSpecs>): RebuildOptions {
  const { view, knownAt, asOf, vintages, input, memory, spillFolder, workers } = given
  return {
    ...(view !== undefined && { views: view.flatMap((names) => names.split(',')) }),
    ...(knownAt !== undefined && { knownAt }),
    ...(asOf !== undefined && { asOf }),
    ...(vintages !== undefined && { vintages: parseVintages(vintages) }),
    ...(memory !== undefined && { memoryBytes: parseBytes('memory', memory) }),
    ...(spillFolder !== undefined && { spillFolder }),
    ...(given.takeOver && { takeOver: true }),
    ...(given.allowMissingInputs && { allowMissingInputs: true }),
    ...(input !== undefined && { inputs: parseInputs(input) }),
    ...(workers !== undefined && { workers: parseCount('workers', workers, 0, workersMax) }),
    out: given.out,
  }
}

function parseVintages(text: string): VintageLength {
  const found = vintageLengths.find((length) => length === text)
  if (found !== undefined) return found
  const [last, ...others] = vintageLengths.toReversed()
  const expected = `${others.reverse().join(', ')} or ${last}`
  throw new ConfigurationError(`--vintages: expected ${expected}, found ${JSON.stringify(text)}.`)
}

export function parseInputs(texts: readonly string[]): Record<string, string[]> {
  const inputs: Record<string, string[]> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    // A path of Hive folders has a = as well.
    if (at < 1 || at === text.length - 1 || /[\\/*]/.test(text.slice(0, at))) {
      throw new ConfigurationError(
        `--input: expected a log and its files as ledger=data/2026/*.parquet, found ${JSON.stringify(text)}.`,
      )
    }
    const log = text.slice(0, at)
    inputs[log] = [...(inputs[log] ?? []), text.slice(at + 1)]
  }
  return inputs
}
