import type { Verb } from './verb.ts'

/** A verb as the help of all names it. */
export interface ListedVerb {
  readonly summary: string
  load(): Promise<Verb>
}

/** All verbs, in the order of `refold --help`. Their code is loaded when they are used. */
export const verbs: Readonly<Record<string, ListedVerb>> = {
  inspect: {
    summary: 'Describe a log: files, columns, event types, order, gaps, duplicates, delays',
    load: async () => (await import('./inspect.ts')).inspect,
  },
  plan: {
    summary: 'Say what a rebuild would do, and why',
    load: async () => (await import('./plan.ts')).plan,
  },
  rebuild: {
    summary: 'Rebuild the views of a job from its logs and publish them',
    load: async () => (await import('./rebuild.ts')).rebuild,
  },
  show: {
    summary: 'Print the rows of a view',
    load: async () => (await import('./show.ts')).show,
  },
  get: {
    summary: 'Print the rows of one key of a view',
    load: async () => (await import('./get.ts')).get,
  },
  trace: {
    summary: 'Print each event of one key, and the state before and after it',
    load: async () => (await import('./trace.ts')).trace,
  },
  triangle: {
    summary: 'Print how much of each window was reported with which delay, and what is still expected',
    load: async () => (await import('./triangle.ts')).triangle,
  },
  diff: {
    summary: 'Compare two generations of a view: keys added, removed and changed',
    load: async () => (await import('./diff.ts')).diff,
  },
  corrections: {
    summary: 'List the published figures that a rebuild changed, with the cause',
    load: async () => (await import('./corrections.ts')).corrections,
  },
  notify: {
    summary: 'Deliver the corrections of a view that a target has not received yet',
    load: async () => (await import('./notify.ts')).notify,
  },
  history: {
    summary: 'List the generations of a view',
    load: async () => (await import('./history.ts')).history,
  },
  bench: {
    summary: 'Measure Refold and others over the same logs, and compare their rows',
    load: async () => (await import('./bench.ts')).bench,
  },
}
