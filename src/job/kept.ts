import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { refoldUrl } from './bundle.ts'
import type { LoadedJob } from './load.ts'

/**
 * The job's bundle as a generation keeps it, so that a later rebuild can apply the earlier logic to the current
 * events. It is what ran, but names Refold as `refold`, which a loader finds where it is installed, and has no source map.
 *
 * @returns Undefined for a job that came from no file.
 */
export function keptLogic(job: LoadedJob): string | undefined {
  if (job.bundlePath === undefined) return undefined
  const text = readFileSync(job.bundlePath, 'utf8')
  const portable = text
    .replaceAll(JSON.stringify(refoldUrl.href), '"refold"')
    .replaceAll(JSON.stringify(fileURLToPath(refoldUrl)), '"refold"')
  return `${portable.replace(/\n\/\/# sourceMappingURL=[^\n]*\s*$/, '').trimEnd()}\n`
}
