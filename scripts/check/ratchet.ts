/**
 * Counts that may only fall. The allowed numbers are in ratchet.json; a count that is smaller than its number is a
 * problem too, because the number would otherwise allow the count to rise again. Nothing raises a number but an edit of
 * the file, which a review sees.
 */

export interface Rule {
  /** What is counted, in the plural: the name of its number in ratchet.json. */
  readonly name: string
  /** What breaks the rule, each with its place, the worst first. */
  readonly found: readonly string[]
}

export type Allowed = Readonly<Record<string, number>>

export const ratchetPath = 'scripts/check/ratchet.json'
const lowering = 'node scripts/check-structure.ts --lower'

/** What is wrong with the counts. Several lines each where there is something to list. */
export function ratchetProblems(rules: readonly Rule[], allowed: Allowed): string[] {
  const problems: string[] = []
  for (const { name, found } of rules) {
    const most = allowed[name]
    if (most === undefined) problems.push(`${name}: no number in ${ratchetPath}; write today's with ${lowering}`)
    else if (found.length > most)
      problems.push([`${name}: expected at most ${most}, found ${found.length}:`, ...found].join('\n    '))
    else if (found.length < most)
      problems.push(`${name}: ${found.length}, fewer than the ${most} allowed; keep it so with ${lowering}`)
  }
  for (const name of Object.keys(allowed))
    if (!rules.some((rule) => rule.name === name))
      problems.push(`${name}: in ${ratchetPath}, but no rule has that name; remove it with ${lowering}`)
  return problems
}

/** The numbers after they were lowered to the counts. A rule that has no number yet gets its count. */
export function lowered(rules: readonly Rule[], allowed: Allowed): Allowed {
  return Object.fromEntries(
    rules.map(({ name, found }) => [name, Math.min(found.length, allowed[name] ?? found.length)]),
  )
}
