import { defineJob, defineView } from '../../index.ts'
import { accounts } from './accounts.ts'
import { ledger } from './ledger.ts'

export const balances = defineView({ name: 'balances', log: ledger, ...accounts })

export default defineJob({ views: [balances] })
