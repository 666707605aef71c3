import { build } from '../support/sample-generations.ts'

/** Publishes generation after generation until it is killed. Arguments: the folder of views, and what the first says. */
const [out, first] = process.argv.slice(2)
for (let number = Number(first); ; number++) {
  build(out!, 'balances', `build ${number}`)
  process.stdout.write('.')
}
