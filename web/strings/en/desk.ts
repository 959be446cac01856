/** The owner's desk. Only admins load it, so it is no part of the other strings. */
import { countOf, credits, number, partPriceText, priceText, signed } from '../format.ts';

/** @param micros millionths of a US dollar */
function dollars(micros: number): string {
  return micros < 0 ? `−${dollars(-micros)}` : partPriceText(micros / 10_000, 'usd');
}

const utcDay = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' });

/** Why generations failed. Other reasons are shown as they are. */
const failureReasons: Record<string, string> = {
  CONTENT_BLOCKED: 'The model declined the prompt',
  REFERENCE_UNREADABLE: 'A reference image was unreadable',
  EXPIRED: 'The time limit passed',
  PROVIDER_ERROR: 'The model failed',
  PROVIDER_MISCONFIGURED: 'Model or image store set up wrongly',
  PROVIDER_OVERLOADED: 'The models were overloaded',
  PROVIDER_QUOTA: 'No quota was left',
  PROVIDER_TIMEOUT: 'The model took too long',
  NO_IMAGE: 'The model returned no usable image',
  STORAGE_ERROR: 'The image store failed',
  SHUTTING_DOWN: 'The server restarted',
  DATABASE_UNAVAILABLE: 'The database did not answer',
  INTERNAL: 'An error in the studio',
  OTHER: 'Other reasons',
};

const models = {
  title: 'Models',
  states: { ready: 'Ready', exhausted: 'Exhausted', off: 'Off' },
  all: 'All models',
  until: (time: string) => `until ${time}`,
  reason: (reason: string) => `Reason: ${reason}`,
};

const jobNames: Record<string, string> = {
  sweepHolds: 'Refunds overdue images',
  reconcile: 'Checks every account',
  reconcilePayments: 'Compares payments with Stripe',
  checkQuota: 'Checks the quota of models',
  refillAllowances: 'Refills allowances',
};

const overview = {
  title: 'Overview',
  period: 'Period',
  days: (count: number) => countOf(count, 'day'),
  moneyIn: 'Money in',
  noMoney: 'Nothing sold',
  paid: priceText,
  purchases: (count: number) => countOf(count, 'purchase'),
  margin: 'Margin',
  marginUnknown: 'Unknown',
  marginNote: 'Before taxes, Stripe’s fees and refunds',
  marginOfCurrencies: 'Sold in another currency than dollars',
  providerCost: 'Provider cost',
  providerCostNote: 'Images and improved prompts',
  dollars,
  images: 'Images',
  imagesNote: (refunded: number, pending: number) =>
    `${number(refunded)} refunded${pending > 0 ? `, ${number(pending)} in progress` : ''}`,
  credits: 'Credits in this period',
  creditRows: {
    sold: 'Sold',
    granted: 'Granted, less what was taken',
    allowances: 'Allowances',
    adjusted: 'Edited in the console',
    spent: 'Spent',
    refunded: 'Refunded for failed images',
    takenBack: 'Taken back for returned payments',
    reinstated: 'Restored after returned payments',
  },
  now: 'Accounts now',
  nowRows: { accounts: 'Accounts', credits: 'Credits outstanding', debt: 'Credits in debt' },
  failures: 'Why images failed',
  failureReasons,
  noFailures: 'No image failed.',
  perDay: 'Per day, in UTC',
  table: 'The days as a table',
  day: 'Day',
  dayText: (date: string) => utcDay.format(new Date(`${date}T00:00:00Z`)),
  columns: {
    images: 'Images',
    refunds: 'Refunds',
    creditsSold: 'Sold',
    creditsSpent: 'Spent',
    providerCostMicros: 'Cost',
  },
  plots: {
    images: 'Images',
    refunds: 'Refunded images',
    creditsSold: 'Credits sold',
    creditsSpent: 'Credits spent',
    providerCostMicros: 'Provider cost',
  },
  mostOnDay: (most: string) => `at most ${most} a day`,
  jobs: 'Scheduled jobs',
  jobNames,
  lastFinished: (time: string) => `Finished ${time}`,
  neverFinished: 'Has not finished yet',
  late: 'Late',
  record: 'What admins did',
};

const record = {
  empty: 'Nothing yet.',
  names: {
    grant: 'Grant',
    suspend: 'Suspension',
    restore: 'End of a suspension',
    takedown: 'Take-down',
    resolveReport: 'Report closed',
  },
  goodwill: 'Goodwill refund',
  dismissed: 'Report dismissed',
  amount: (amount: number) => `${signed(amount)} ${Math.abs(amount) === 1 ? 'credit' : 'credits'}`,
  by: (actor: string) => `by ${actor}`,
  account: 'Account',
  image: 'Image',
};

const accounts = {
  title: 'Accounts',
  find: 'Find an account',
  findHint: 'E-mail, uid, support code or the id of a Checkout session',
  search: 'Search',
  showAll: 'Show all',
  found: (count: number, find: string) => `${countOf(count, 'account')} found for “${find}”`,
  none: 'No account found',
  noneHint: 'Check the spelling. An image from the cache is not found by its code.',
  noEmail: 'No verified address',
  used: (time: string) => `Used ${time}`,
  created: (time: string) => `Created ${time}`,
  unused: 'Not used yet',
  suspended: 'Suspended',
  closed: 'Closed',
  debt: (debt: number) => `Owes ${credits(debt)}`,
  problem: 'Needs correction',
  balanceUnknown: 'Balance unknown',
};

const account = {
  title: 'Account',
  back: 'All accounts',
  uid: 'Uid',
  copyUid: 'Copy uid',
  uidCopied: 'Uid copied.',
  balance: 'Balance',
  debt: 'Debt',
  created: 'Created',
  used: 'Last used',
  closed: 'Closed',
  allowance: 'Own allowance',
  note: 'Note in the console',
  unknown: 'Unknown',
  grant: 'Grant credits',
  suspend: 'Suspend',
  restore: 'End suspension',
  images: 'Images',
  noImages: 'No images yet.',
  imageDeleted: 'Deleted by the user',
  imageRemoved: (reason: string) => `Removed by the studio: ${reason}`,
  imagePending: 'In progress',
  failed: (reason: string) => `Failed: ${reason}`,
  cost: (price: number) => (price === 0 ? 'Free' : credits(price)),
  refunded: (refunded: number) => `${number(refunded)} refunded`,
  goodwilled: (refunded: number) => `${number(refunded)} refunded as goodwill`,
  fromCache: 'From the cache',
  noPrompt: 'Prompt deleted',
  code: (id: string) => `Code ${id}`,
  refund: 'Refund',
  refundOf: (prompt: string) => `Refund: ${prompt}`,
  takeDown: 'Take down',
  takeDownOf: (prompt: string) => `Take down: ${prompt}`,
  open: (prompt: string) => `Open image: ${prompt}`,
  notAmongNewest: (max: number) => `This image is not among the newest ${number(max)} of the account.`,
  entries: 'Entries',
  noEntries: 'No entries yet.',
  date: 'Date',
  what: 'What',
  amount: 'Amount',
  after: 'Balance',
  purchases: 'Purchases',
  noPurchases: 'Nothing bought.',
  pack: 'Pack',
  paid: 'Paid',
  bought: 'Credits',
  takenBack: (count: number) => `${number(count)} taken back`,
  refundsAndDisputes: (refunds: number, disputes: number) =>
    [refunds > 0 && countOf(refunds, 'refund'), disputes > 0 && countOf(disputes, 'dispute')]
      .filter(Boolean)
      .join(', '),
  newest: (max: number) => `The newest ${number(max)} are shown.`,
};

const quoted = (prompt: string | null) =>
  prompt === null ? 'an image without its prompt' : `the image “${prompt}”`;
const change = (before: number, after: number) => `Balance ${number(before)} → ${number(after)}.`;

const actions = {
  reason: 'Reason',
  reasonNeeded: 'Please give a reason.',
  reasonHint: 'For the record. Only admins see it.',
  grantReasonHint: 'The user sees it in the credit history.',
  takedownReasonHint: 'The user sees it in place of the image.',
  kind: 'What to do',
  give: 'Give',
  take: 'Take',
  amount: 'Credits',
  imageOf: (prompt: string | null, time: string) =>
    `${prompt === null ? 'An image without its prompt' : `“${prompt}”`}, ${time}`,
  upTo: (price: number) => `The image cost ${credits(price)}.`,
  continue: 'Continue',
  back: 'Back',
  cancel: 'Cancel',
  tryAgain: 'Try again',
  because: (reason: string) => `Reason: ${reason}`,
  uncertain: 'We do not know yet whether it worked. Try again: it cannot happen twice.',

  grantTitle: 'Grant or take credits',
  grantSentence: (who: string, amount: number, before: number | null, after: number, debtPaid: number) =>
    [
      amount > 0 ? `${who} gets ${credits(amount)}.` : `${who} loses ${credits(-amount)}.`,
      debtPaid > 0 && `${number(debtPaid)} of them pay off debt.`,
      before !== null && change(before, after),
    ]
      .filter(Boolean)
      .join(' '),
  confirmGrant: (amount: number) => (amount > 0 ? `Give ${credits(amount)}` : `Take ${credits(-amount)}`),
  granted: (who: string, amount: number) =>
    amount > 0 ? `${who} got ${credits(amount)}.` : `${credits(-amount)} taken from ${who}.`,

  refundTitle: 'Goodwill refund',
  refundSentence: (
    who: string,
    amount: number,
    prompt: string | null,
    before: number | null,
    after: number,
    debtPaid: number,
  ) =>
    [
      `${who} gets ${credits(amount)} for ${quoted(prompt)}.`,
      debtPaid > 0 && `${number(debtPaid)} of them pay off debt.`,
      before !== null && change(before, after),
      'This is possible once.',
    ]
      .filter(Boolean)
      .join(' '),
  confirmRefund: (amount: number) => `Refund ${credits(amount)}`,

  suspendTitle: 'Suspend this person',
  suspendSentence: (who: string) =>
    `${who} can no longer generate images, under any account of the same person. Images that are being made are finished. The credits stay.`,
  confirmSuspend: 'Suspend',
  suspended: (who: string) => `${who} is suspended.`,
  restoreTitle: 'End the suspension',
  restoreSentence: (who: string) =>
    `${who} can generate images again, under every account of the same person.`,
  confirmRestore: 'End suspension',
  restored: (who: string) => `${who} can generate images again.`,

  takedownTitle: 'Take down this image',
  takedownSentence: (who: string, prompt: string | null) =>
    `${prompt === null ? 'An image' : `The image “${prompt}”`} of ${who} is removed everywhere: gallery, public page and image store. It cannot be restored, and it is refused as a reference. The credits stay as they are.`,
  confirmTakedown: 'Take down',
  takenDown: 'Image taken down.',

  dismissTitle: 'Dismiss this report',
  dismissSentence: (uid: string) => `The image of ${uid} stays public, and the report is closed.`,
  confirmDismiss: 'Dismiss report',
  dismissed: 'Report dismissed.',
  reportedSentence: (uid: string, reason: string) =>
    `The image of ${uid} is removed everywhere: gallery, public page and image store. It cannot be restored. The user sees the reason: ${reason}. The credits stay as they are.`,
};

const reports = {
  title: 'Reports',
  empty: 'No open reports',
  emptyHint: 'Reports of public images appear here.',
  imageGone: 'The image is gone.',
  imageAlt: 'The reported image',
  reported: (time: string) => `Reported ${time}`,
  by: 'Shared by',
  dismiss: 'Dismiss',
  takeDown: 'Take down',
};

export const deskText = {
  title: 'Owner’s desk',
  navigation: 'Desk',
  back: 'Studio',
  backLabel: 'Back to the studio',
  windowTitle: (view: string) => `${view} · Owner’s desk`,
  /** A field of a request that the functions refuse, at the beginning of a sentence. */
  fields: {
    amount: 'The amount',
    find: 'The search',
    generationId: 'This image',
    reason: 'The reason',
    uid: 'The uid',
  } as Record<string, string>,
  violation: (field: string, description: string) => `${field} ${description}.`,
  account,
  accounts,
  actions,
  models,
  overview,
  record,
  reports,
};
