/**
 * Checks who imports whom. Imports point down, a package is known in one place, and nothing imports itself in a circle:
 * the tables below are the rules, and all of them. Run by itself it prints what breaks them and ends with 1.
 */
import { dirname, posix } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { cyclesOf } from './check/cycles.ts'
import { type Files, projectFiles } from './check/files.ts'
import { importsOf } from './check/imports.ts'

/** What a stage uses to hand its tasks out in the parent, and to perform them in a thread. */
const dispatch = ['workers/executor.ts', 'workers/failure.ts', 'stages.ts', 'thread']

/** What map writes and reduce reads. */
const shuffleFormats = [
  'shuffle/block.ts',
  'shuffle/block-list.ts',
  'shuffle/block-memory.ts',
  'shuffle/key-table.ts',
  'shuffle/run-reader.ts',
  'shuffle/pack.ts',
]

/**
 * What each area of src may import, besides itself: areas, or single files of one. An area is a folder or a file
 * directly in src. A stage that needs something of another stage names the file here.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  model: [],
  storage: ['model'],
  time: ['model'],
  columns: ['model', 'time'],
  arrow: ['model', 'storage'],
  parquet: ['model', 'storage', 'columns'],
  compare: ['model', 'storage', 'parquet', 'columns'],
  view: ['model', 'time', 'columns'],
  // Zones and durations are checked with the rest of a job.
  job: ['model', 'storage', 'time', 'view', 'columns'],
  plan: ['model', 'storage', 'parquet', 'time', 'view', 'job', 'columns'],
  shuffle: ['model', 'storage', 'arrow', 'view', 'columns'],
  'stages.ts': ['model'],
  // What tasks of all stages use in one thread.
  thread: ['model', 'storage', 'parquet', 'view', 'shuffle/block-memory.ts', 'workers/executor.ts'],
  scan: ['model', 'storage', 'parquet', 'time', 'view', 'columns'],
  dedupe: ['model', 'storage', 'parquet', 'columns', 'scan', ...shuffleFormats, ...dispatch],
  map: [
    ...['model', 'storage', 'parquet', 'time', 'view', 'columns', 'scan', ...shuffleFormats, ...dispatch],
    // What is known of duplicates before events are mapped, and the comparison of their contents after.
    ...['dedupe/duplicates.ts', 'dedupe/compare-contents.ts'],
  ],
  reduce: [
    ...['model', 'storage', 'parquet', 'time', 'view', 'columns', ...shuffleFormats, ...dispatch],
    'dedupe/duplicates.ts',
    // The results of map, as types.
    ...['map/map-split.ts', 'map/timelines.ts'],
    // How splits and what is known of them are handed out again, to find an event.
    ...['map/all.ts', 'map/tasks.ts'],
  ],
  read: [
    ...['model', 'storage', 'parquet', 'time', 'view', 'columns', 'compare'],
    // The columns of notices.
    'correct/notices.ts',
    // How the files that two generations were built from differ.
    'plan/input-changes.ts',
  ],
  notify: ['model', 'storage', 'read/notices.ts'],
  commit: [
    ...['model', 'storage', 'parquet', 'view', 'columns', 'job', 'stages.ts', 'shuffle/block-memory.ts'],
    // The results of map and reduce, as types.
    ...['map/map-split.ts', 'map/timelines.ts', 'reduce/all.ts'],
  ],
  // Executors know nothing of the tasks they run.
  workers: ['model'],
  'tasks.ts': [
    ...['model', 'storage', 'job', 'thread', 'shuffle/block-memory.ts', 'workers/executor.ts'],
    ...['dedupe/tasks.ts', 'map/tasks.ts', 'reduce/tasks.ts', 'strategy/strategies.ts'],
  ],
  'start-executor.ts': ['model', 'storage', 'job', 'shuffle/block-memory.ts', 'tasks.ts', 'workers'],
  'build.ts': [
    ...['model', 'storage', 'job', 'stages.ts', 'plan', 'dedupe', 'map', 'reduce'],
    ...['commit/views.ts', 'commit/owner.ts', 'start-executor.ts', 'workers/executor.ts'],
  ],
  scenario: ['model', 'storage', 'job', 'stages.ts', 'plan/plan-rebuild.ts', 'build.ts', 'commit/views.ts'],
  correct: [
    ...['model', 'storage', 'parquet', 'time', 'view', 'columns', 'job', 'stages.ts', 'compare', 'scenario'],
    // What was built and what commit is handed, as types.
    'commit/views.ts',
  ],
  'rebuild.ts': ['model', 'storage', 'job', 'stages.ts', 'build.ts', 'start-executor.ts', 'correct', 'commit'],
  // A strategy is what map does with events and reduce with what arrives; no stage knows one.
  strategy: [...['model', 'columns', 'scan', 'view', 'map', 'reduce', 'shuffle/block.ts', 'shuffle/block-memory.ts']],
  // One key's events go the same way as all, and are looked at on it.
  trace: [
    ...['model', 'storage', 'parquet', 'time', 'view', 'columns', 'job', 'plan', 'scan', 'dedupe', 'map', 'shuffle'],
    ...['reduce', 'read', 'strategy/shuffle.ts'],
    // A view of another view's rows is traced in rows that are built on the side.
    'scenario/scenario.ts',
  ],
  // A survey reads events as map does, mostly without any view.
  inspect: [
    ...['model', 'storage', 'parquet', 'time', 'columns', 'job', 'plan', 'scan', 'trace', 'engine.ts'],
    'read/values.ts',
    // Events of clocks that are ahead.
    'map/ahead.ts',
    // The order of a view's events is found by folding them.
    'scenario/order-scenario.ts',
  ],
  'engine.ts': ['model', 'job', 'plan/plan-rebuild.ts', 'rebuild.ts'],
  'index.ts': [
    // What handlers call.
    'time/of-moment.ts',
    'model',
    'job',
    'engine.ts',
    'plan/plan-rebuild.ts',
    'read',
    'inspect',
    'trace',
  ],
  // Contenders do what a user's program would.
  bench: ['model', 'storage', 'parquet', 'job', 'rebuild.ts', 'index.ts'],
  cli: [
    // Options and moments are parsed by the clocks of zones.
    ...['model', 'time', 'engine.ts', 'index.ts', 'read', 'inspect', 'notify', 'bench'],
    // A job and its clean-up; a view as of a moment, which is built on the side.
    ...['job/load.ts', 'scenario/scenario.ts', 'storage/generations.ts', 'storage/local-path.ts'],
    // The disk that jobs are looked for on and notices are delivered from.
    'storage/disk.ts',
    // What a plan says of the files of what is published.
    ...['plan/plan-rebuild.ts', 'plan/input-changes.ts'],
  ],
}

/** The places in src that know a package. A package without an entry is imported nowhere. */
const knownIn: Readonly<Record<string, readonly string[]>> = {
  // Contenders of the benchmark: one that is no dependency, and others as a program without Refold would use them.
  '@duckdb/node-api': ['src/bench/contenders/duckdb.ts'],
  acorn: ['src/job/'],
  'apache-arrow': ['src/arrow/', 'src/cli/'],
  'cli-progress': ['src/cli/progress.ts'],
  esbuild: ['src/job/'],
  hyparquet: ['src/parquet/', 'src/bench/contenders/hyparquet.ts'],
  'hyparquet-compressors': ['src/parquet/', 'src/bench/contenders/hyparquet.ts'],
  'hyparquet-writer': ['src/parquet/', 'src/bench/contenders/hyparquet.ts'],
  hysnappy: ['src/parquet/'],
  'parquetjs-lite': ['src/parquet/', 'src/bench/contenders/parquetjs-lite.ts'],
  // The pool, and the half of it that runs in its threads.
  piscina: ['src/workers/pool.ts', 'src/workers/entry.ts'],
  'temporal-polyfill': ['src/time/'],
  tinyglobby: ['src/storage/glob.ts'],
  yargs: ['src/cli/'],
  zod: ['src/job/', 'src/cli/'],
}

/**
 * The places in src that may use the file system by themselves, each with the reason. Everything else is handed a storage
 * (src/storage/store.ts), so that another can take its place.
 */
export const fileSystemIn: Readonly<Record<string, string>> = {
  'src/storage/': 'it is the storage',
  'src/bench/': 'it makes the files that it measures with',
  'src/cli/main.ts': "it prints the package's version before anything else is loaded",
  'src/job/bundle.ts': "it writes modules for Node's loader, which reads this host's disk",
  'src/job/kept.ts': "it reads a module that was written for Node's loader",
  'src/job/position.ts': "it reads the source map in a module that was written for Node's loader",
  'src/workers/thread-modules.ts': "it looks at the package's own files",
}

/** The places that choose the real disk as the storage; everything below them is handed one. */
const diskOpenedIn: readonly string[] = [
  'src/storage/',
  // What a program or the command line calls.
  ...[
    'src/rebuild.ts',
    'src/plan/plan-rebuild.ts',
    'src/read/',
    'src/inspect/',
    'src/trace/door.ts',
    'src/cli/',
    'src/bench/',
  ],
  // A job is a file of this host.
  'src/job/load.ts',
]

/** What the folders beside src may import. They may know any package. */
const besideSrc: Readonly<Record<string, readonly string[]>> = {
  bin: ['src'],
  scripts: ['scripts', 'src'],
  test: ['test', 'scripts', 'jobs', 'src'],
}

/** What breaks the rules. One sentence each, sorted. */
export function violationsOf(files: Files): string[] {
  const violations: string[] = []
  const loads = new Map<string, string[]>()
  for (const [path, text] of files) {
    const loaded: string[] = []
    for (const one of importsOf(text)) {
      const target = one.specifier.startsWith('.') ? posix.join(posix.dirname(path), one.specifier) : undefined
      const problem = target === undefined ? problemOfPackage(path, one.specifier) : problemOfFile(path, target, files)
      if (problem !== undefined) violations.push(`${path}:${one.line}: imports ${one.specifier}, ${problem}`)
      if (target !== undefined && !one.typeOnly && !one.dynamic) loaded.push(target)
    }
    loads.set(path, loaded)
  }
  for (const cycle of cyclesOf(loads)) violations.push(`${cycle[0]}: imports itself: ${cycle.join(' → ')}`)
  return violations.sort()
}

function problemOfFile(path: string, target: string, files: Files): string | undefined {
  if (!files.has(target)) return `but there is no ${target}`
  const beside = besideSrc[folderOf(path)]
  if (beside !== undefined) {
    if (target.endsWith('.test.ts')) return 'but what tests share is in a file that is no test'
    return beside.includes(folderOf(target)) ? undefined : `but ${folderOf(path)} may import only ${beside.join(', ')}`
  }
  if (path.startsWith('jobs/')) {
    return target.startsWith('jobs/') ? undefined : "but a job imports 'refold', as a user's would"
  }
  if (!target.startsWith('src/')) return 'but src imports nothing outside src'
  if (target === 'src/storage/disk.ts' && !diskOpenedIn.some((place) => isWithin(path, place)))
    return 'but it is handed a storage (src/storage/store.ts) by its caller'
  const from = areaOf(path)
  const to = areaOf(target)
  if (from === to) return undefined
  const allowed = mayImport[from]
  if (allowed === undefined) return `but ${from} has no entry in mayImport (scripts/check-imports.ts)`
  if (allowed.includes(to) || allowed.includes(target.slice('src/'.length))) return undefined
  return `but ${from} may import only ${allowed.length === 0 ? 'itself' : allowed.join(', ')}`
}

function problemOfPackage(path: string, specifier: string): string | undefined {
  if (/^node:fs(?:\/|$)/.test(specifier) && path.startsWith('src/')) return problemOfFileSystem(path)
  if (specifier.startsWith('node:') || besideSrc[folderOf(path)] !== undefined) return undefined
  if (path.startsWith('jobs/'))
    return specifier === 'refold' ? undefined : "but a job imports 'refold' and nothing else"
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const places = knownIn[name]
  if (places === undefined) return `but ${name} has no entry in knownIn (scripts/check-imports.ts)`
  if (places.some((place) => isWithin(path, place))) return undefined
  return `but only ${places.join(', ')} may know ${name}`
}

function problemOfFileSystem(path: string): string | undefined {
  if (Object.keys(fileSystemIn).some((place) => isWithin(path, place))) return undefined
  return 'but what it reads and writes goes through a storage that it is handed (src/storage/store.ts)'
}

function isWithin(path: string, place: string): boolean {
  return path === place || (place.endsWith('/') && path.startsWith(place))
}

function folderOf(path: string): string {
  return path.slice(0, path.indexOf('/'))
}

function areaOf(path: string): string {
  return path.split('/')[1] ?? path
}

/** What the tables above name and src does not have, or the other way around. One sentence each. */
export function staleRulesOf(files: Files): string[] {
  const table = 'scripts/check-imports.ts'
  const sources = [...files.keys()].filter((path) => path.startsWith('src/'))
  const areas = new Set(sources.map(areaOf))
  const stale: string[] = []
  for (const area of areas)
    if (mayImport[area] === undefined) stale.push(`${table}: mayImport has no entry for ${area}`)
  for (const [area, allowed] of Object.entries(mayImport)) {
    if (!areas.has(area)) stale.push(`${table}: mayImport has an entry for ${area}, but there is no src/${area}`)
    for (const one of allowed)
      if (!areas.has(one) && !files.has(`src/${one}`))
        stale.push(`${table}: ${area} may import ${one}, but there is no src/${one}`)
  }
  for (const [name, places] of Object.entries(knownIn))
    for (const place of places)
      if (!sources.some((path) => path === place || (place.endsWith('/') && path.startsWith(place))))
        stale.push(`${table}: ${name} is known in ${place}, but there is none`)
  return stale
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = projectFiles(dirname(dirname(fileURLToPath(import.meta.url))))
  const violations = [...violationsOf(files), ...staleRulesOf(files)]
  for (const violation of violations) console.error(violation)
  console.log(`${files.size} files, ${violations.length} broken import rules`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
