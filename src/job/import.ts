import { pathToFileURL } from 'node:url'
import type { JobDefinition } from '../model/view.ts'
import { installGuards } from '../view/purity.ts'

/** Imports a bundle that was validated when its job was loaded; what worker threads do. */
export async function importBundle(bundlePath: string): Promise<JobDefinition> {
  installGuards()
  const bundle = (await import(pathToFileURL(bundlePath).href)) as Record<string, unknown>
  return exportsOf(bundle).default as JobDefinition
}

/**
 * What a job's module exports. A CommonJS module is one default export: where it was compiled from an ES module its own exports are in
 * there, and else named views are its properties.
 */
export function exportsOf(module: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const whole = module['default'] as Record<string, unknown> | undefined
  return whole?.['__esModule'] === true ? whole : module
}
