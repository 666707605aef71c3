// Builds dist/: JavaScript and declarations, and in dist/threads/ what worker threads load.
//
// The compiler turns './file.ts' into './file.js' in the JavaScript it emits but not in the declarations, so that is
// done here.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { describeSources, isBuiltFrom } from '../src/workers/thread-modules.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

const bundle = join(dist, 'threads')
const sources = describeSources(root)

// Who only wants it built must not take it away from a rebuild that runs.
if (isBuiltFrom(root, bundle)) process.stderr.write('dist/ is built from the sources as they are.\n')
else await buildAll()

async function buildAll() {
  rmSync(dist, { recursive: true, force: true })
  const parameters = [compiler, '-p', join(root, 'tsconfig.build.json')]
  const compiled = spawnSync(process.execPath, parameters, { stdio: 'inherit' })
  if (compiled.status === 0) {
    rewriteDeclarations()
    await bundleThreads()
  }
  process.exitCode = compiled.status ?? 1
}

/** A thread loads its modules in a third of the time when they are a few files instead of 150. */
async function bundleThreads() {
  const entries = ['index', 'workers/entry', 'tasks', 'arrow/spill-file']
  const { metafile } = await build({
    entryPoints: entries.map((name) => join(root, 'src', `${name}.ts`)),
    outbase: join(root, 'src'),
    outdir: bundle,
    // As deep as the sources that name others by their relative URL.
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    charset: 'utf8',
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    absWorkingDir: root,
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
  writeFileSync(join(bundle, 'LICENSES.txt'), licensesOf(metafile))
  const files = Object.entries(metafile.outputs).map(
    ([path, { bytes }]) => `${relative(bundle, join(root, path))} ${bytes}`,
  )
  const note = join(bundle, 'built-from.json')
  writeFileSync(`${note}.new`, JSON.stringify({ sources, files }))
  renameSync(`${note}.new`, note)
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
