import type { Verb } from './verb.ts'

/** All verbs, in the order of `refold --help`. Their code is loaded when they are used. */
export const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  inspect: async () => (await import('./inspect.ts')).inspect,
  plan: async () => (await import('./plan.ts')).plan,
  rebuild: async () => (await import('./rebuild.ts')).rebuild,
  show: async () => (await import('./show.ts')).show,
  get: async () => (await import('./get.ts')).get,
  trace: async () => (await import('./trace.ts')).trace,
  triangle: async () => (await import('./triangle.ts')).triangle,
  diff: async () => (await import('./diff.ts')).diff,
  corrections: async () => (await import('./corrections.ts')).corrections,
  notify: async () => (await import('./notify.ts')).notify,
  history: async () => (await import('./history.ts')).history,
  bench: async () => (await import('./bench.ts')).bench,
}
