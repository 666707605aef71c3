import type { DuplicatesDefinition } from '../model/log.ts'
import type { Fields } from '../model/type.ts'
import type { AnyLog } from '../model/view.ts'

const ignorableRoles: readonly string[] = ['recordedAt', 'sequence']

/** What a log can get wrong in how it says that deliveries of one event may differ. */
export function duplicatesProblems(log: AnyLog): string[] {
  const duplicates: DuplicatesDefinition | undefined = log.duplicates
  if (duplicates === undefined) return []
  const { ignore } = duplicates
  const fields: Fields = log.fields
  const problems = ignore.flatMap((name, index) => {
    if (ignore.indexOf(name) !== index) return [`duplicates.ignore: "${name}" is listed twice`]
    if (ignorableRoles.includes(name)) {
      return log.columns[name] === undefined ? [`duplicates.ignore: the log has no ${name}; leave it out`] : []
    }
    if (Object.hasOwn(fields, name)) return []
    const names = [...ignorableRoles, ...Object.keys(fields)].join(', ')
    return [
      `duplicates.ignore: expected some of ${names}, found "${name}"; what an event is and when it happened can't differ`,
    ]
  })
  if (log.uniqueIds) {
    problems.push('duplicates: uniqueIds says that there are none; leave one of them out')
  }
  if (log.columns.recordedAt === undefined) {
    problems.push(
      'duplicates: the first and the last delivery are found by recordedAt, which the log does not have; name its column in columns.recordedAt',
    )
  }
  return problems
}
