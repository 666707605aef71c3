/** The command's entry. `--version` loads nothing else, so that it answers at once. */
import { readFileSync } from 'node:fs'

const parameters = process.argv.slice(2)

if (parameters.length === 1 && (parameters[0] === '--version' || parameters[0] === '-V')) {
  const description = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(description) as { version: string }
  process.stdout.write(`${version}\n`)
} else {
  const { runProcess } = await import('./process.ts')
  await runProcess(parameters)
}
