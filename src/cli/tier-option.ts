import { ConfigurationError } from '../model/errors.ts'
import type { NamedColumn } from '../read/named-column.ts'
import type { Rows } from '../read/rows.ts'
import type { Tier } from '../read/tier.ts'
import type { FoundView } from '../read/view-files.ts'
import type { RowFormat } from './rows.ts'
import type { OptionSpecs } from './verb.ts'

export const tierOption = {
  tier: {
    type: 'string',
    value: 'live|final',
    requiresArg: true,
    describe:
      'Of a view with windows: final shows only what can no longer change; live marks what can, and says how complete it is',
  },
} as const satisfies OptionSpecs

export function parseTier(text: string | undefined): Tier | undefined {
  if (text === undefined || text === 'live' || text === 'final') return text
  throw new ConfigurationError(`--tier: expected live or final, found ${text}.`)
}

/** Rows of a tier as a format shows them, and what is to be said of the tier. `readRows` is called for each of two passes. */
export async function rowsOfTier(
  found: FoundView,
  tier: Tier,
  readRows: () => Iterable<readonly NamedColumn[]>,
  format: RowFormat,
): Promise<Rows & { readonly note: string }> {
  const [{ tieredRows }, { estimateTexts, tierNote }] = await Promise.all([
    import('../read/tier.ts'),
    import('./print-tier.ts'),
  ])
  const rows = tieredRows(found, tier, `--tier ${tier}`, readRows, format === 'table' ? estimateTexts : undefined)
  return { ...rows, note: tierNote(tier, rows.status) }
}
