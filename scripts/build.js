// Builds dist/: JavaScript and declarations, and in dist/threads/ what worker threads load.
//
// The compiler turns './file.ts' into './file.js' in the JavaScript it emits but not in the declarations, so that is
// done here.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

rmSync(dist, { recursive: true, force: true })
const sources = listSources()
const compiled = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' })
if (compiled.status === 0) {
  rewriteDeclarations()
  await bundleThreads()
}
process.exitCode = compiled.status ?? 1

/** What `src/workers/thread-modules.ts` compares, so that a clone never runs threads on code that was changed since. */
function listSources() {
  const folder = join(root, 'src')
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { size, mtimeMs } = statSync(path)
      return `${path.slice(folder.length + 1)} ${size} ${mtimeMs}`
    })
    .sort()
}

/** A thread starts in a third of the time when it loads a few files instead of 150. */
async function bundleThreads() {
  const folder = join(dist, 'threads')
  const { metafile } = await build({
    entryPoints: ['workers/entry', 'workers/tasks', 'index'].map((name) => join(root, 'src', `${name}.ts`)),
    outdir: folder,
    entryNames: '[name]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    // What is loaded only now and then, or must be the same module as its own thread's.
    external: [
      'piscina',
      'apache-arrow',
      'temporal-polyfill',
      'esbuild',
      'acorn',
      'zod',
      'tinyglobby',
      'parquetjs-lite',
    ],
  })
  writeFileSync(join(folder, 'LICENSES.txt'), licensesOf(metafile))
  writeFileSync(join(folder, 'sources.json'), JSON.stringify(sources))
}

/** The licences of the packages whose code is in the bundle; they ask to be given on with it. */
function licensesOf({ inputs }) {
  const packages = new Set(
    Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
  )
  return [...packages]
    .sort()
    .map((path) => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
      const file = readdirSync(join(root, path)).find((candidate) => /^licen[cs]e/i.test(candidate))
      const text = file === undefined ? `License: ${license}` : readFileSync(join(root, path, file), 'utf8').trim()
      return `${name} ${version}\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

function rewriteDeclarations() {
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.d.ts')) continue
    const path = join(entry.parentPath, entry.name)
    const text = readFileSync(path, 'utf8')
    const rewritten = text.replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, (whole, quote, specifier) => {
      const declared = existsSync(join(entry.parentPath, `${specifier}.d.ts`))
      return declared ? `${quote}${specifier}.js${quote}` : whole
    })
    if (rewritten !== text) writeFileSync(path, rewritten)
  }
}
