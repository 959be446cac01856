/** What is done with several images of the gallery. Loaded with its tools. */
import { countOf, number } from '../format.ts';

export const selecting = {
  title: 'Selected images',
  end: 'End the selection',
  count: (count: number) => `${number(count)} selected`,
  all: 'Select all',
  allLoaded: (count: number) => `Select all ${number(count)} loaded`,
  mark: 'Favourite',
  unmark: 'Unfavourite',
  download: 'Download',
  delete: 'Delete',
  cancel: 'Cancel',
  progress: (done: number, total: number) => `${number(done)} of ${number(total)}`,
  marked: (count: number) => `${countOf(count, 'image')} added to your favourites.`,
  unmarked: (count: number) => `${countOf(count, 'image')} removed from your favourites.`,
  notAll: (count: number) => `${countOf(count, 'image')} could not be changed. Please try again.`,
  downloaded: (count: number) => `${countOf(count, 'image')} downloaded.`,
  missing: (count: number) => `${countOf(count, 'image')} could not be fetched. The ZIP file lists them.`,
  deleted: (count: number) => `${countOf(count, 'image')} deleted.`,
  question: (count: number) => `Delete ${countOf(count, 'image')}?`,
  consequence: 'The images and their prompts are deleted permanently. Their credits are not refunded.',
  keep: 'Keep them',
  confirm: 'Delete images',
};
