import { getLineInfo } from 'acorn'
import { ConfigurationError } from '../model/errors.ts'
import { type JobDefinition, logsOf } from '../model/view.ts'
import { type FunctionNode, parseFunction } from './function-syntax.ts'
import { moduleFaults } from './module-faults.ts'
import { type OuterUse, outerUses } from './outer-uses.ts'
import { outerWrites } from './outer-writes.ts'
import { originOf, pathForPeople, readBundle } from './position.ts'
import { functionsOf, upcastersOf } from './rules.ts'

const writeRule = (subject: string) =>
  `Cannot use the job ${subject}: a function of a view or log may change nothing but the state it is given, as it would see other values ` +
  'with another number of workers. Keep them in the state, or make them while the module is loaded:'

const useRule = (subject: string) =>
  `Cannot use the job ${subject}: a function of a view or log must give the same result every time, at once and from its arguments alone. ` +
  'What it needs besides can be read while the module is loaded:'

/**
 * Refuses functions that keep something from one event to the next outside the state, that wait, or that use the host, in the job's own code. Packages are
 * not looked at: what they keep is theirs.
 *
 * @param path Names the job in messages.
 */
export function refuseModuleFaults(path: string, bundlePath: string): void {
  const code = readBundle(bundlePath) ?? ''
  const placed = (faults: readonly OuterUse[]) =>
    faults.flatMap(({ node, what }) => {
      const { line, column } = getLineInfo(code, node.start)
      const origin = originOf(bundlePath, line, column + 1)
      if (origin === undefined || /[\\/]node_modules[\\/]/.test(origin.path)) return []
      return [`${pathForPeople(origin.path)}:${origin.line}:${origin.column}: ${what}`]
    })
  const { writes, uses } = moduleFaults(code)
  refuse(path, writeRule(path), placed(writes))
  refuse(path, useRule(path), placed(uses))
}

/** The same of functions whose module is not known: of what their own text shows. */
export function refuseOuterFaults(path: string, { views }: JobDefinition): void {
  const logs = [...new Set(views.flatMap(logsOf))]
  const functions = [
    ...logs.flatMap((log) =>
      Object.entries(upcastersOf(log)).map(([name, fn]) => [`log "${log.name}", ${name}`, fn] as const),
    ),
    ...views.flatMap((view) =>
      Object.entries(functionsOf(view)).map(([name, fn]) => [`view "${view.name}", ${name}`, fn] as const),
    ),
  ]
  const placed = (faultsOf: (definition: FunctionNode) => readonly OuterUse[]) =>
    functions.flatMap(([place, fn]) => {
      const definition = typeof fn === 'function' ? parseFunction(String(fn)) : undefined
      return definition === undefined ? [] : faultsOf(definition).map(({ what }) => `${place}: ${what}`)
    })
  refuse(
    path,
    writeRule(path),
    placed((definition) => outerWrites(definition, () => undefined)),
  )
  refuse(
    path,
    useRule(path),
    placed((definition) => outerUses(definition, new Map())),
  )
}

function refuse(path: string, rule: string, places: readonly string[]): void {
  if (places.length === 0) return
  const distinct = [...new Set(places)]
  throw new ConfigurationError(`${rule}\n${distinct.map((place) => `- ${place}`).join('\n')}`, { file: path })
}
