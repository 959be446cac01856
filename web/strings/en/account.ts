/** The account: looks, export, sign-in and closing. */
import { countOf, credits, number } from '../format.ts';

export const account = {
  title: 'Your account',
  providers: { password: 'E-mail and password', 'google.com': 'Google' } as Record<string, string>,
  signsInWith: (providers: string) => `You sign in with: ${providers}`,
  page: 'This page',
  theme: 'Colours',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  notify: 'Notify me when images are ready and this tab is in the background',
  notifyRefused: 'Your browser does not allow notifications from this page.',
  data: 'Your data',
  session: 'Sign-in',
  signOutEverywhere: 'Sign out everywhere',
  signOutEverywherePassword:
    'A new password also signs you out on all other devices, within an hour. “Sign out” in the menu ends the session in this browser.',
  signOutEverywhereOther:
    '“Sign out” in the menu ends the session in this browser. Sign out on each device, or ask support to end all sessions at once.',
  changePassword: 'Change password',
  currentPassword: 'Current password',
  newPassword: 'New password',
  passwordChanged: 'Your password is changed. Other devices are signed out within an hour.',
  cancel: 'Cancel',
  legal: 'Terms and support',
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
