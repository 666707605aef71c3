/** The public door of Refold: what a job file imports, and the engine for programs. */

export { loadDefinition, loadJob, planRebuild, rebuild } from './engine.ts'
export type { LoadedJob } from './job/load.ts'
export { ConfigurationError, ConflictError, InputError, OutputError, RefoldError, ViewError } from './model/errors.ts'
export type { EventOf, LogDefinition } from './model/log.ts'
export { defineLog } from './model/log.ts'
export { dayOf, formatDay, hourOf, monthOf } from './model/moment.ts'
export type { Plan } from './model/plan.ts'
export type {
  Counters,
  Progress,
  RebuildOptions,
  RebuildReport,
  ViewReport,
  VintageLength,
} from './model/report.ts'
export type { Fields, TimeUnit, Type, Values } from './model/type.ts'
export { bigint, bool, date, decimal, float64, int32, int64, json, nullable, string, timestamp } from './model/types.ts'
export type { JobDefinition, LatePolicy, ViewDefinition, WindowLength } from './model/view.ts'
export { defineJob, defineView } from './model/view.ts'
