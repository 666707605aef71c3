import { createHash } from 'node:crypto'
import { canonicalJson } from '../model/canonical-json.ts'
import type { JobDefinition, ViewDefinition } from '../model/view.ts'
import { logicOf } from './bundle.ts'
import { describeView } from './describe.ts'

/** The whole job's code: what a view is hashed with that the job doesn't export by name. */
const WHOLE_JOB = '*'

/**
 * The fingerprint of each view: a hash of its options and of all code it reaches. Comments, layout and the names of
 * variables don't change it, nor do other views that the job exports.
 *
 * @param exports What the job's module exports; a view is found in it by identity.
 */
export async function fingerprintViews(
  path: string,
  job: JobDefinition,
  exports: Readonly<Record<string, unknown>>,
): Promise<Map<string, string>> {
  const exportOf = new Map(job.views.map((view) => [view.name, exportNameOf(view, exports)]))
  const logic = await logicOf(path, [...new Set(exportOf.values())].sort())
  return new Map(job.views.map((view) => [view.name, fingerprintOf(view, logic.get(exportOf.get(view.name)!)!)]))
}

/** Fingerprints of views that come from no file: of the text of their functions. */
export function fingerprintDefinition(job: JobDefinition): Map<string, string> {
  return new Map(job.views.map((view) => [view.name, hash({ options: describeView(view, (fn) => fn.toString()) })]))
}

function exportNameOf(view: ViewDefinition, exports: Readonly<Record<string, unknown>>): string {
  return Object.keys(exports).find((name) => exports[name] === view) ?? WHOLE_JOB
}

function fingerprintOf(view: ViewDefinition, logic: string): string {
  // Functions are in the logic, with what they reach.
  return hash({ logic, options: describeView(view, () => null) })
}

function hash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}
