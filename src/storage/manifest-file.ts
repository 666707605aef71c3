import { createHash } from 'node:crypto'
import { canonicalJson } from '../model/canonical-json.ts'
import { OutputError } from '../model/errors.ts'
import { digestedPart, type Manifest, type ManifestBody } from '../model/manifest.ts'

/** Reading and checking of the small JSON files beside a view's parts. */

/** The generation that readers see, in `_current.json`. */
export interface Current {
  readonly generation: string
  readonly digest: string
}

/** What repairs a view whose current generation is damaged. */
export const rebuildAdvice = 'Rebuild the view, which publishes it again'

/** SHA-256 over the canonical JSON of what the digest covers, lower-case hexadecimal. */
export function digestOf(body: ManifestBody): string {
  return createHash('sha256')
    .update(canonicalJson(digestedPart(body)))
    .digest('hex')
}

export function parseCurrent(text: string, path: string): Current {
  const current = check({ path, advice: rebuildAdvice }, parse(text, path, rebuildAdvice), '', currentShape)
  return current as Current
}

/** What a newer version of Refold wrote: not damaged, and not to be published over. */
export class NewerFormatError extends OutputError {}

/**
 * @param advice What to do where it is damaged, as a sentence without its full stop.
 * @throws OutputError where the manifest is no manifest, or not the one that was published; NewerFormatError.
 */
export function parseManifest(text: string, path: string, advice: string): Manifest {
  const value = parse(text, path, advice)
  refuseNewer(value, path)
  const manifest = check({ path, advice }, value, '', manifestShape) as Manifest
  const digest = digestOf(manifest)
  if (digest !== manifest.digest) {
    throw damaged({ path, advice }, `expected contents of the digest ${manifest.digest}, found ${digest}`)
  }
  return manifest
}

function refuseNewer(value: unknown, path: string): void {
  const { format } = (value ?? {}) as { format?: unknown }
  if (!Number.isSafeInteger(format) || (format as number) <= 1) return
  throw new NewerFormatError(
    `Cannot use ${path}: expected format 1, which is all that this version reads, found ${format}. A newer version of Refold wrote it; use that one, or another folder with --out.`,
    { file: path },
  )
}

function parse(text: string, path: string, advice: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const found = text === '' ? 'an empty file' : (error as Error).message
    throw damaged({ path, advice }, `expected JSON, found ${found}`)
  }
}

/** What a value must be: `[shape]` an array of it, an object its properties (more are let through), `?` maybe absent. */
type Shape =
  | 'string'
  | 'string?'
  | 'text'
  | 'text or null'
  | 'count'
  | 'count?'
  | 'flag'
  | 1
  | readonly [Shape]
  | { readonly [name: string]: Shape }
  | { readonly orNull: Shape }
  | { readonly ifThere: Shape }

const currentShape: Shape = { generation: 'string', digest: 'string' }
const columnShape: Shape = {
  name: 'string',
  type: 'string',
  nullable: 'flag',
  unit: 'string?',
  precision: 'count?',
  scale: 'count?',
}
const fileShape: Shape = { name: 'string', rows: 'count', bytes: 'count', sha256: 'string' }
const findingShape: Shape = {
  events: 'count',
  keys: 'count',
  example: { orNull: { key: 'string', events: ['text'] } },
}
const manifestShape: Shape = {
  format: 1,
  view: 'string',
  generation: 'string',
  previous: 'text or null',
  digest: 'string',
  fingerprint: 'string',
  options: { knownAt: 'text or null', asOf: 'text or null', vintages: 'text or null' },
  key: [columnShape],
  columns: [columnShape],
  rows: 'count',
  keys: 'count',
  counters: {
    read: 'count',
    applied: 'count',
    filtered: 'count',
    duplicate: 'count',
    late: 'count',
    quarantined: 'count',
  },
  order: { ifThere: { orNull: { ties: findingShape, againstSequence: findingShape } } },
  files: [fileShape],
  exceptions: [fileShape],
  window: {
    orNull: {
      column: 'string',
      every: 'string',
      zone: 'string',
      allowedLateness: 'string',
      late: 'string',
      watermark: 'text or null',
      recordsDays: 'flag',
      recordsWholeDays: 'flag',
    },
  },
  triangle: [fileShape],
  corrections: [fileShape],
  job: 'string?',
  logic: { orNull: { bytes: 'count', sha256: 'string' } },
  progress: [{ log: 'string?', partition: 'string', recordedAt: 'string' }],
  inputs: [
    {
      log: 'string',
      path: 'string',
      rows: 'count',
      bytes: 'count',
      footerSha256: 'string',
      recordedFrom: 'string?',
      recordedTo: 'string?',
    },
  ],
}

/** The file that is checked, and what to do where it is damaged. */
interface Checked {
  readonly path: string
  readonly advice: string
}

function check(file: Checked, value: unknown, place: string, shape: Shape): unknown {
  const refuse = (expected: string) =>
    damaged(file, `expected ${expected}${place === '' ? '' : ` at ${place}`}, found ${describe(value)}`)
  if (shape === 1) {
    if (value !== 1) throw refuse('format 1, which is all that this version reads,')
  } else if (typeof shape === 'string') {
    if (!fits(value, shape)) throw refuse(nameOf(shape))
  } else if ('ifThere' in shape) {
    if (value !== undefined) check(file, value, place, shape.ifThere as Shape)
  } else if ('orNull' in shape) {
    if (value !== null) check(file, value, place, shape.orNull as Shape)
  } else if (isArrayShape(shape)) {
    if (!Array.isArray(value)) throw refuse('an array')
    for (const [index, item] of value.entries()) check(file, item, `${place}[${index}]`, shape[0])
  } else {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('an object')
    for (const [name, inner] of Object.entries(shape)) {
      check(file, (value as Record<string, unknown>)[name], place === '' ? name : `${place}.${name}`, inner)
    }
  }
  return value
}

function isArrayShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape)
}

function fits(value: unknown, shape: string): boolean {
  if (shape.endsWith('?') && value === undefined) return true
  if (shape === 'text or null' && value === null) return true
  if (shape === 'flag') return typeof value === 'boolean'
  if (shape.startsWith('count')) return Number.isSafeInteger(value) && (value as number) >= 0
  return typeof value === 'string' && (value !== '' || shape.startsWith('text'))
}

function nameOf(shape: string): string {
  if (shape === 'flag') return 'true or false'
  if (shape === 'text or null') return 'a text or null'
  return shape.startsWith('count') ? 'a whole number' : 'a text'
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? (value === null ? 'null' : 'an object') : JSON.stringify(value)
}

function damaged({ path, advice }: Checked, reason: string): OutputError {
  return new OutputError(
    `Cannot use ${path}: ${reason}. The file is damaged or was not written by Refold. ${advice}.`,
    { file: path },
  )
}
