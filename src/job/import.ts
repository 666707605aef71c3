import { pathToFileURL } from 'node:url'
import type { JobDefinition } from '../model/view.ts'
import { installGuards } from '../view/purity.ts'

/** Imports a bundle that was validated when its job was loaded; what worker threads do. */
export async function importBundle(bundlePath: string): Promise<JobDefinition> {
  installGuards()
  const bundle = (await import(pathToFileURL(bundlePath).href)) as { default: JobDefinition }
  return bundle.default
}
