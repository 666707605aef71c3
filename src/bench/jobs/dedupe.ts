import { defineJob, defineView } from '../../index.ts'
import { accounts } from './accounts.ts'
import { ledgerWithDuplicates } from './ledger.ts'

export const balances = defineView({ name: 'balances', log: ledgerWithDuplicates, ...accounts })

export default defineJob({ views: [balances] })
