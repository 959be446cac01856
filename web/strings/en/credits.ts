/** Credits: the balance and the ledger. */
import type { Entry } from '../../../shared/contract.ts';
import { countOf, credits as creditsOf, number } from '../format.ts';

const entryNames: Record<Entry['type'], string> = {
  grant: 'Credits added',
  debit: 'Image',
  refund: 'Refunded',
  adjustment: 'Adjustment',
  allowance: 'Free allowance',
  purchase: 'Credits bought',
  clawback: 'Payment returned',
  reinstatement: 'Payment restored',
};

/** Why an image failed, by the error reason in its refund entry. */
const refundReasons: Record<string, string> = {
  CONTENT_BLOCKED: 'the model declined this prompt',
  NO_IMAGE: 'the model returned no usable image',
  REFERENCE_UNREADABLE: 'the model could not read a reference image',
  PROVIDER_ERROR: 'the model failed',
  PROVIDER_OVERLOADED: 'the model was overloaded',
  PROVIDER_QUOTA: 'the model had no quota left',
  PROVIDER_TIMEOUT: 'the model took too long',
  STORAGE_ERROR: 'the image could not be stored',
  EXPIRED: 'the time limit passed',
  DELETED: 'the image was deleted',
};

export const credits = {
  title: 'Credits',
  emptyTitle: 'No credit history yet.',
  empty: 'Credits that you receive, spend or get refunded are listed here.',
  buy: 'Buy credits',
  receipts: 'Receipts',
  noReceipts: 'There are no receipts yet.',
  balanceTitle: 'Your balance',
  unit: (count: number) => countOf(count, 'credit').replace(`${number(count)} `, ''),
  enoughFor: (images: string) => `Enough for ${images}.`,
  history: 'History',
  month: 'Month',
  allMonths: 'All months',
  saveCsv: 'Download CSV',
  savingCsv: 'Preparing the file …',
  csvColumns: ['Time', 'What', 'Credits', 'Balance', 'Image id'],
  csvName: (month: string) => `nano-banana-studio-credits${month && `-${month}`}.csv`,
  sums: (spent: number, added: number) => `Spent: ${number(spent)} · Added: ${number(added)}`,
  found: (count: number, month: string) => `${month}: ${countOf(count, 'line')}.`,
  nothingInMonth: 'No credits moved in this month.',
  showImage: 'Show image',
  what: 'What',
  amount: 'Credits',
  balance: 'Balance',
  imageInProgress: 'Image',
  imageDeleted: 'An image that you deleted',
  imageMissing: 'An image',
  refundedAll: (reason: string) => `Refunded: ${reason}`,
  goodwill: (count: number) => `${creditsOf(count)} returned by support`,
  wasCharged: (charged: number, refunded: number) => `−${number(charged)} +${number(refunded)}`,
  welcome: 'Welcome credits',
  entryNames,
  /** A grant below zero. */
  taken: 'Credits taken',
  refundReasons,
  studioError: 'an error in the studio',
  entryWithReason: (name: string, reason: string) => `${name}: ${reason}`,
  debtPaidOff: 'Debt paid off',
  paymentRefunded: 'Payment refunded',
  refundFailed: 'Refund did not go through: credits restored',
  paymentDisputed: 'Payment disputed',
  disputeEnded: 'Dispute ended: credits restored',
  debtTitle: 'Debt',
  debt: (debt: number) =>
    `You owe ${creditsOf(debt)}: a payment was returned after its credits were spent. The next credits that you buy or receive pay this off first. Nothing is charged to your card for it.`,
  allowance: (count: number, period: string, next: string) =>
    `Topped up to ${creditsOf(count)} every ${period}. Next: ${next}.`,
};
