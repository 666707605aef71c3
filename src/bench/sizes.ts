/** How many events each size has; a tenth as many accounts at most. */
export const sizes = {
  smoke: { events: 100_000 },
  '1m': { events: 1_000_000 },
  '10m': { events: 10_000_000 },
  '100m': { events: 100_000_000 },
} as const satisfies Readonly<Record<string, Size>>

export interface Size {
  readonly events: number
}

export type SizeName = keyof typeof sizes

export const sizeNames = Object.keys(sizes) as readonly SizeName[]
