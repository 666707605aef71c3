import type { ComparedGeneration } from '../compare/stream.ts'

/** Why a published figure changed. */
const causes = ['upstream correction', 'late data', 'changed logic', 'changed options'] as const
export type Cause = (typeof causes)[number]

/**
 * The way from the published generation to the new one, one thing at a time:
 *
 *     published → what it knew, as the log has it now → all that is known now → by the logic of now → by the options of now
 *               upstream correction                late data           changed logic        changed options
 *
 * A figure's causes are the steps at which its value changes.
 */
export interface Step {
  readonly cause: Cause
  /** The view after the step. */
  readonly generation: ComparedGeneration
}

/** The view between two steps. */
export type Between = 'as it was known' | 'as it is known' | 'by new logic'
const betweens: readonly Between[] = ['as it was known', 'as it is known', 'by new logic']

/**
 * Finds the steps. What two neighbours differ in is given by `differs`, by cause; where nothing does they are the same view,
 * and nothing is built for it. Both ends exist.
 *
 * @param build Builds the view between two steps.
 * @returns At least one step, the last of which ends at `after`; none where nothing differs.
 */
export async function stepsBetween(
  after: ComparedGeneration,
  differs: Readonly<Record<Cause, boolean>>,
  build: (between: Between) => Promise<ComparedGeneration>,
): Promise<Step[]> {
  const taken = causes.filter((cause) => differs[cause])
  const steps: Step[] = []
  for (const cause of taken) {
    const between = betweens[causes.indexOf(cause)]
    const isLast = cause === taken.at(-1)
    steps.push({ cause, generation: isLast || between === undefined ? after : await build(between) })
  }
  return steps
}
