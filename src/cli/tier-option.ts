import { ConfigurationError } from '../model/errors.ts'
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

export type Tier = 'live' | 'final'

export function parseTier(text: string | undefined): Tier | undefined {
  if (text === undefined || text === 'live' || text === 'final') return text
  throw new ConfigurationError(`--tier: expected live or final, found ${text}.`)
}
