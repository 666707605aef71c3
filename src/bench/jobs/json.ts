import { defineJob, defineView } from '../../index.ts'
import { accounts } from './accounts.ts'
import { ledgerWithPayload } from './ledger.ts'

export const balances = defineView({ name: 'balances', log: ledgerWithPayload, ...accounts })

export default defineJob({ views: [balances] })
