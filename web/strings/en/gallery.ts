/** The gallery, and the images that are being made. */
import { countOf } from '../format.ts';

export const gallery = {
  title: 'Your images',
  open: (prompt: string) => `Open image: ${prompt}`,
  today: 'Today',
  yesterday: 'Yesterday',
  emptyTitle: 'Your images will appear here.',
  empty:
    'Write a prompt below and choose a shape. If an image fails, its credits are refunded automatically.',
  examples: 'Or start with one of these',
  examplePrompts: [
    'A banana in a space suit, reading the newspaper on the moon',
    'Isometric cutaway of a tiny ramen shop at night',
    'A fox asleep in autumn leaves, watercolour',
  ],
  countOf: (count: number) => countOf(count, 'image'),
  actions: 'Image actions',
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
  ready: (cost: string) => `Your image is ready. ${cost}`,
};
