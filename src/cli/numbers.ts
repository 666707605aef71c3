/** Numbers as people read them. */

const counts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `1,234,567` */
export function formatCount(count: number | bigint): string {
  return counts.format(count)
}

/** `1 view`, `2 views` */
export function formatCounted(count: number, one: string, several = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`
}

/** `812 B`, `1.5 kB`, `24 MB`: three digits at least, powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `4 ms`, `0.83 s`, `12.4 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h` */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
  const hours = Math.round(seconds / 3600)
  return `${Math.floor(hours / 24)} d ${pad(hours % 24)} h`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** `8.3 M`, `420 k`, `12`: for rates, where three digits say enough. */
export function formatShort(count: number): string {
  const units = ['', ' k', ' M', ' G']
  let value = count
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)}${units[unit]}`
}

/** `0.4 %`, `12 %`, `0.003 %`: two digits that say something. What is nearly all is not called all. */
export function formatPercent(share: number): string {
  const value = share * 100
  if (value > 99 && value < 100) return '>99 %'
  if (value === 0 || Math.abs(value) >= 9.95) return `${Math.round(value)} %`
  return `${Number(value.toPrecision(2))} %`
}
