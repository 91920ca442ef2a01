/** Formats `1.2 MB`, in powers of ten as for disks and networks. */
export function bytes(n: number): string {
  const unit = UNITS.findIndex((_, power) => n < 999.5 * 1000 ** power)
  const power = unit < 0 ? 4 : unit
  const value = n / 1000 ** power
  return `${power === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Formats `0.21 s`, `1:05`, `2:03:04`. */
export function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`
  return clock(ms)
}

/** Formats `0:07`, `1:05`, `2:03:04`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}
