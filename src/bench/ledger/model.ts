import { Random } from './random.ts'

/** What decides the contents of a ledger. */
export interface LedgerShape {
  readonly events: number
  readonly accounts: number
  readonly days: number
  /** Shares from 0 to 1. */
  readonly duplicates: number
  readonly late: number
  readonly outOfOrder: number
  readonly skew: number
  readonly seed: number
}

export const types = [
  'Opened',
  'Deposited',
  'Withdrawn',
  'TransferredIn',
  'TransferredOut',
  'InterestPaid',
  'FeeCharged',
]

export const branches = [
  ...[
    '台北信義',
    '台北大安',
    '板橋',
    '新店',
    '桃園',
    '新竹科學園區',
    '台中西屯',
    '台中公益',
    '彰化',
    '嘉義',
    '台南永康',
  ],
  ...['高雄左營', '高雄前鎮', '屏東', '花蓮', '宜蘭', '基隆', '澎湖', 'Zürich Paradeplatz', 'Genève Rive', 'Basel SBB'],
  ...['Wien Graben', 'München Marienplatz', 'Köln Dom', 'Hamburg Jungfernstieg', 'Berlin Mitte', 'Paris Opéra'],
  ...['Lyon Bellecour', 'Bruxelles Midi', 'Amsterdam Dam', 'København Strøget', 'Malmö Västra', 'Oslo Aker Brygge'],
  ...['Łódź Piotrkowska', 'Kraków Rynek', 'Praha Můstek', 'Bratislava Staré', 'Ljubljana Tromostovje'],
  ...['Sevilla Triana', 'Lisboa Baixa'],
]

export const channels = ['branch', 'atm', 'online', 'mobile']

const opened = 0
const deposited = 1
const withdrawn = 2

/** Of the types after an account was opened, how many in a hundred, and their mean amount in cents. */
const typeShares = [0, 30, 28, 12, 12, 8, 10]
const meanCents = [0, 120_000, 20_000, 40_000, 60_000, 300, 500]

/** Cash comes in notes. */
const noteCents = 1_000

/** How busy each hour of a day is, in UTC. */
const hourWeights = [2, 1, 1, 1, 1, 2, 4, 8, 12, 15, 16, 15, 14, 13, 14, 15, 14, 12, 10, 8, 6, 5, 4, 3]

const microsecondsPerHour = 3_600_000_000
const microsecondsPerDay = 24 * microsecondsPerHour
const start = Date.UTC(2026, 0, 1) * 1000

/** Mean delays of late events, and up to which share of them each applies. */
const delays = [
  { hours: 3, upTo: 0.4 },
  { hours: 24, upTo: 0.7 },
  { hours: 24 * 4, upTo: 0.9 },
  { hours: 24 * 14, upTo: 1 },
]

/**
 * Everything about an event but its position in its account's stream, as pure functions of its number. The number is the
 * event's id and its place in the order of recording.
 */
export class LedgerModel {
  readonly #shape: LedgerShape
  readonly #hourStarts: readonly number[]
  readonly #account: Random
  readonly #skewed: Random
  readonly #partition: Random
  readonly #moment: Random
  readonly #late: Random
  readonly #delayScale: Random
  readonly #delay: Random
  readonly #type: Random
  readonly #amount: Random
  readonly #home: Random
  readonly #away: Random
  readonly #channel: Random
  readonly #duplicate: Random
  readonly #displaced: Random
  readonly #distance: Random

  constructor(shape: LedgerShape) {
    const random = (purpose: string): Random => new Random(shape.seed, purpose)
    this.#shape = shape
    this.#hourStarts = cumulativeShares(hourWeights)
    this.#account = random('account')
    this.#skewed = random('skewed')
    this.#partition = random('partition')
    this.#moment = random('moment')
    this.#late = random('late')
    this.#delayScale = random('delay scale')
    this.#delay = random('delay')
    this.#type = random('type')
    this.#amount = random('amount')
    this.#home = random('home')
    this.#away = random('away')
    this.#channel = random('channel')
    this.#duplicate = random('duplicate')
    this.#displaced = random('displaced')
    this.#distance = random('distance')
  }

  /** Accounts count from 1; low numbers have more events: the first hundredth of the accounts a tenth of all. */
  accountOf(event: number): number {
    if (this.#shape.skew > 0 && this.#skewed.share(event) < this.#shape.skew) return 1
    const share = this.#account.share(event)
    return 1 + Math.floor(share * share * this.#shape.accounts)
  }

  partitionOf(account: number, partitions: number): number {
    return this.#partition.bits(account) % partitions
  }

  /** Days since the first. */
  dayOf(event: number): number {
    return Math.min(this.#shape.days - 1, Math.floor(this.#daysBefore(event)))
  }

  /** Microseconds since 1970; never less than those of the event before. */
  recordedAt(event: number): number {
    const day = this.dayOf(event)
    const share = Math.min(this.#daysBefore(event) - day, 1 - 2 ** -30)
    let hour = 0
    while (this.#hourStarts[hour + 1]! <= share) hour++
    const from = this.#hourStarts[hour]!
    const within = (share - from) / (this.#hourStarts[hour + 1]! - from)
    return start + day * microsecondsPerDay + Math.floor((hour + within) * microsecondsPerHour)
  }

  isLate(event: number): boolean {
    return this.#late.share(event) < this.#shape.late
  }

  /** Microseconds since 1970, not before the ledger's first day. */
  occurredAt(event: number, recordedAt: number): number {
    if (!this.isLate(event)) return recordedAt
    const scale = this.#delayScale.share(event)
    const { hours } = delays.find(({ upTo }) => scale < upTo)!
    const delay = Math.floor((1 + hours * this.#delay.exponential(event)) * microsecondsPerHour)
    const elapsed = recordedAt - start
    return recordedAt - (delay <= elapsed ? delay : Math.ceil(elapsed * this.#delay.share(event)))
  }

  /** Index into `types`. */
  typeOf(event: number, sequence: number): number {
    if (sequence === 0) return opened
    if (sequence === 1) return deposited
    let rest = this.#type.bits(event) % 100
    let type = 1
    while (rest >= typeShares[type]!) rest -= typeShares[type++]!
    return type
  }

  /**
   * Cents: nothing for an opening, else mostly small with a long tail, longer for all that isn't a deposit. No event knows
   * the balance, so some withdrawals and transfers take more than there is.
   */
  amountOf(event: number, type: number): number {
    if (type === opened) return 0
    const size = this.#amount.exponential(event)
    const mean = meanCents[type]!
    if (type === deposited) return 1 + Math.floor(mean * (0.5 + size / 2))
    const cents = Math.floor((mean * size * size) / 2)
    return type === withdrawn ? noteCents * (1 + Math.floor(cents / noteCents)) : 1 + cents
  }

  /** Index into `branches`: nine times in ten that of the account. */
  branchOf(event: number, account: number): number {
    const away = this.#away.bits(event)
    return (away % 10 === 0 ? away >>> 4 : this.#home.bits(account)) % branches.length
  }

  /** Index into `channels`. */
  channelOf(event: number): number {
    return this.#channel.bits(event) % channels.length
  }

  isDuplicated(event: number): boolean {
    return this.#duplicate.share(event) < this.#shape.duplicates
  }

  /** How many rows later the second delivery comes, of `rest` rows that follow: a retry soon, or anything. */
  duplicateDistance(event: number, rest: number): number {
    const share = this.#duplicate.share(~event)
    return 1 + Math.floor((event % 2 === 0 ? Math.min(rest, 1000) : rest) * share)
  }

  isDisplaced(event: number): boolean {
    return this.#displaced.share(event) < this.#shape.outOfOrder
  }

  /** How many rows too late a displaced row is. */
  displacement(event: number): number {
    return 1 + (this.#distance.bits(event) % 5000)
  }

  #daysBefore(event: number): number {
    return ((event + this.#moment.share(event)) * this.#shape.days) / this.#shape.events
  }
}

/** Where each hour begins and the last ends, as shares of a day's events. */
function cumulativeShares(weights: readonly number[]): number[] {
  const sums = [0]
  for (const weight of weights) sums.push(sums.at(-1)! + weight)
  return sums.map((sum) => sum / sums.at(-1)!)
}
