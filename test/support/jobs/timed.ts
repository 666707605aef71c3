import { defineJob } from 'refold'
import { timedViews } from '../timed-views.ts'

export default defineJob({
  views: timedViews({ files: 'log/**/*.parquet', zone: 'America/New_York', idleTimeout: '1 day', sequenced: true }),
})
