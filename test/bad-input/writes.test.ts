import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadDefinition } from '../../src/engine.ts'
import { loadJob } from '../../src/job/load.ts'
import { ConfigurationError } from '../../src/model/errors.ts'
import { defineLog } from '../../src/model/log.ts'
import { int64 } from '../../src/model/types.ts'
import { defineJob, defineView } from '../../src/model/view.ts'
import { scratch } from '../support/logs.ts'

let folder: ReturnType<typeof scratch>
let home: string
beforeEach(() => {
  folder = scratch('writes')
  home = folder.path
})
afterEach(() => folder.remove())

function write(name: string, text: string): string {
  const path = join(home, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

const jobOf = (imports: string, handler: string) =>
  write(
    'job.ts',
    `import { defineJob, defineLog, defineView, int64 } from 'refold'
${imports}
const log = defineLog({ name: 'l', files: 'x', columns: { id: 'id', key: 'k', recordedAt: 'at' } })
export const view = defineView({ name: 'v', log, state: { n: int64() }, on: {
  Deposited: ${handler},
} })
export default defineJob({ views: [view] })
`,
  )

async function refused(path: string): Promise<string> {
  const error = await loadJob(path).then(
    (job) => job.dispose(),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message.replaceAll(`${home}/`, '')
}

test('a job that keeps a count outside its state is refused when it is loaded, with the place', async () => {
  expect(await refused(jobOf('let n: number = 0', '(s: { n: number }) => { s.n = n++ }'))).toBe(
    `Cannot use the job job.ts: a function of a view or log may change nothing but the state it is given, as it would see other values with another number of workers. Keep them in the state, or make them while the module is loaded:
- job.ts:5:44: it writes to n, a variable outside of it`,
  )
})

test('so is one whose helper in another module does', async () => {
  write(
    'helpers.ts',
    '// Counts.\nexport const seen: Record<string, number> = {}\nexport function note(id: string) {\n  seen[id] = 1\n}\n',
  )
  expect(await refused(jobOf("import { note } from './helpers.ts'", '(s, e) => { note(e.id) }'))).toContain(
    '- helpers.ts:4:3: it writes to a property of seen, which is outside of it',
  )
})

test('what packages keep is theirs', async () => {
  write('node_modules/counter/package.json', '{ "name": "counter", "type": "module", "main": "index.js" }')
  write('node_modules/counter/index.js', 'let cached\nexport const precision = () => (cached ??= 20)\n')
  const job = await loadJob(jobOf("import { precision } from 'counter'", '(s, e) => { s.n = precision() }'))
  job.dispose()
})

test('a definition that no file holds is refused for what its functions show', async () => {
  const log = defineLog({ name: 'l', files: 'x', columns: { id: 'id', key: 'k', recordedAt: 'at' } })
  let total = 0
  const view = defineView({
    name: 'v',
    log,
    state: { n: int64() },
    on: {
      A: (s) => {
        total++
        s.n = total
      },
    },
  })
  await expect(async () => loadDefinition(defineJob({ views: [view] }))).rejects.toThrow(
    /- view "v", handler A: it writes to total, a variable outside of it/,
  )
})
