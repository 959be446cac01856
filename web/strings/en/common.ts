/** What several views say. */
import { countOf, credits } from '../format.ts';

export const common = {
  studio: 'Nano Banana Studio',
  opening: 'Opening the studio …',
  cannotOpen: 'The studio could not be opened',
  checkConnection: 'Please check your connection.',
  configurationUnreadable: (status: number) => `The studio's configuration could not be read (${status}).`,
  loading: 'Loading …',
  loadMore: 'Load more',
  close: 'Close',
  tryAgain: 'Try again',
  sendAgain: 'Send the e-mail again',
  sent: 'We sent the e-mail again.',
  dismiss: 'Dismiss',
  ai: 'AI',
  madeWithAi: 'Made with AI',
  credits,
  images: (count: number) => countOf(count, 'image'),
  pixels: (width: number, height: number) => `${width} × ${height}`,
  exported: 'Your data is saved.',
  actionFailed: (action: string) => `“${action}” failed. Please try again.`,
};
