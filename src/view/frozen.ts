/**
 * Freezes objects and arrays with all they hold, so that a function which is given them can't change what another sees. What
 * keeps its contents elsewhere, as a Map, is left as it is, and so is what was frozen before.
 */
export function frozen(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) freeze(value)
  return value
}

function freeze(root: object): void {
  const waiting: object[] = [root]
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (Object.isFrozen(value) || ArrayBuffer.isView(value)) continue
    Object.freeze(value)
    for (const inner of Object.values(value))
      if (typeof inner === 'object' && inner !== null) waiting.push(inner as object)
  }
}
