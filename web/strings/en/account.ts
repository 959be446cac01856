/** The account: terms, export and closing. */
import { countOf, credits, number } from '../format.ts';

export const account = {
  title: 'Your account',
  termsAccepted: (time: string) => `You accepted the terms on ${time}.`,
  terms: 'Terms',
  privacy: 'Privacy policy',
  support: 'Support: ',
  exportExplained:
    'You can save everything that the studio keeps about you: your account, credits, prompts and images.',
  exportData: 'Export my data',
  exportWithImages: 'Export with images',
  reading: 'Reading your data …',
  exportProgress: (done: number, total: number) => `${number(done)} of ${countOf(total, 'image')} …`,
  images: 'Images',
  cancelExport: 'Cancel export',
  exported: 'Your data is saved.',
  exportedWithout: (missing: number) =>
    `Your data is saved, but ${missing === 1 ? 'one image' : `${number(missing)} images`} could not be fetched. The file missing-images.txt lists what is missing.`,
};

export const closing = {
  open: 'Close account',
  title: 'Close your account',
  consequence: (balance: number) =>
    `Your images, prompts and sign-in are deleted for good, here and on every page you shared. The ${credits(balance)} you have left are lost. Export your data first if you want to keep it.`,
  typeToConfirm: (word: string) => `Type ${word} to confirm`,
  password: 'Your password',
  keep: 'Keep my account',
  confirm: 'Close my account',
  farewell: 'Your account is closed. Your images, prompts and sign-in are being deleted. Goodbye.',
};

export const terms = {
  title: 'Before you start',
  readAndAccept: 'Please read and accept the ',
  terms: 'terms',
  the: ' The ',
  privacy: 'privacy policy',
  saysWhatWeKeep: ' says what we keep about you.',
  age: 'By accepting, you confirm that you are 18 or older.',
  notNow: 'Not now',
  accept: 'Accept and continue',
};
