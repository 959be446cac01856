/** The gallery, and the images that are being made. */
import { countOf, credits } from '../format.ts';

export const gallery = {
  title: 'Your images',
  open: (prompt: string) => `Open image: ${prompt}`,
  today: 'Today',
  yesterday: 'Yesterday',
  emptyTitle: 'Your images will appear here.',
  empty:
    'Write what you want to see: the studio makes an image of it. If an image fails, its credits are refunded automatically.',
  enoughFor: (balance: number, images: string) => `You have ${credits(balance)}: enough for ${images}.`,
  examples: 'Start with one of these',
  /** Each shows a different kind of image. */
  examplePrompts: [
    { kind: 'Photo', prompt: 'Macro photograph of a soap bubble about to burst', tier: 'standard' },
    {
      kind: 'Scene',
      prompt: 'A banana in a space suit, reading the newspaper on the moon',
      tier: 'premium4',
    },
    { kind: 'Model', prompt: 'Isometric cutaway of a tiny ramen shop at night', tier: 'standard' },
    { kind: 'Poster', prompt: 'Art deco poster of a night train through the Alps', tier: 'premium2' },
    { kind: 'Watercolour', prompt: 'A fox asleep in autumn leaves, watercolour', tier: 'standard' },
    { kind: 'Drawing', prompt: 'A library inside a whale, pencil drawing', tier: 'premium2' },
  ] as const,
  countOf: (count: number) => countOf(count, 'image'),
  actions: 'Image actions',
  select: 'Select',
  selectOne: (prompt: string) => `Select: ${prompt}`,
  download: 'Download',
  reuse: 'Reuse prompt',
  useAsReference: 'Use as reference',
  imageCopied: 'Image copied.',
  shared: 'Shared',
  favourite: 'Favourite',
  unfavourite: 'No longer a favourite',
  marked: 'Added to your favourites.',
  unmarked: 'No longer a favourite.',
};

export const making = {
  title: 'In progress',
  making: 'Making …',
  noConnection: 'No connection. Retrying …',
  busy: 'The studio is busy. Retrying …',
  ownLimit: 'Waiting for your other images …',
  hide: 'Hide',
  hideHint: 'Hide. The image is still made, and appears here when it is ready.',
  hidden: 'Hidden. The image appears here when it is ready.',
  noticeReady: (count: number) =>
    count === 1 ? 'Your image is ready.' : `Your ${countOf(count, 'image')} are ready.`,
  noticeFailed: (count: number) => `${countOf(count, 'image')} could not be made.`,
  ready: (cost: string) => `Your image is ready. ${cost}`,
  groupReady: (count: number, balance: number) =>
    `${countOf(count, 'image')} ${count === 1 ? 'is' : 'are'} ready. Balance: ${credits(balance)}.`,
};
