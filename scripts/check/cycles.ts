/** Files that import themselves through others. */

/** Who imports whom: paths by path. A path without an entry imports nothing. */
export type Links = ReadonlyMap<string, readonly string[]>

/**
 * For every file that imports itself through others the shortest way around, which begins and ends with it.
 * Counting files, and not ways, makes a count that falls with every import that is removed and never rises with one.
 */
export function cyclesOf(links: Links): string[][] {
  const cycles: string[][] = []
  for (const knot of knotsOf(links)) for (const path of knot) cycles.push(shortestCycle(path, links, new Set(knot)))
  return cycles.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
}

/** Sets of files of which each reaches all others (Tarjan's strongly connected components), if more than one file. */
function knotsOf(links: Links): string[][] {
  const knots: string[][] = []
  const order = new Map<string, number>()
  const open: string[] = []
  const isOpen = new Set<string>()
  /** Returns the earliest file that is open and can be reached. */
  const enter = (path: string): number => {
    const own = order.size
    let lowest = own
    order.set(path, own)
    open.push(path)
    isOpen.add(path)
    for (const next of links.get(path) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, enter(next))
      else if (isOpen.has(next)) lowest = Math.min(lowest, order.get(next)!)
    }
    if (lowest === own) {
      const knot = open.splice(open.indexOf(path))
      for (const one of knot) isOpen.delete(one)
      if (knot.length > 1 || links.get(path)?.includes(path) === true) knots.push(knot)
    }
    return lowest
  }
  for (const path of links.keys()) if (!order.has(path)) enter(path)
  return knots
}

function shortestCycle(start: string, links: Links, knot: ReadonlySet<string>): string[] {
  const cameFrom = new Map<string, string>()
  let edge = [start]
  while (edge.length > 0) {
    const further: string[] = []
    for (const path of edge) {
      for (const next of links.get(path) ?? []) {
        if (next === start) return [...trailTo(path, start, cameFrom), start]
        if (!knot.has(next) || cameFrom.has(next)) continue
        cameFrom.set(next, path)
        further.push(next)
      }
    }
    edge = further
  }
  throw new Error(`${start} is in no cycle.`)
}

function trailTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const trail = [end]
  while (trail[0] !== start) trail.unshift(cameFrom.get(trail[0]!)!)
  return trail
}
