/** The search of the gallery, and what is done with several images. */
import { countOf, number } from '../format.ts';

export const search = {
  label: 'Search your prompts',
  placeholder: 'Search',
  clear: 'Clear the search',
  favourites: 'Favourites',
  searching: 'Searching …',
  nothingTitle: 'No image found.',
  nothing: (query: string) => `None of your prompts has “${query}”.`,
  noFavourite: 'None of your images is a favourite yet. The heart on an image makes it one.',
  showAll: 'Show all images',
};

export const selecting = {
  title: 'Selected images',
  start: 'Select',
  end: 'End the selection',
  count: (count: number) => `${number(count)} selected`,
  all: 'Select all',
  select: (prompt: string) => `Select: ${prompt}`,
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
  deleteTitle: 'Delete the selected images?',
  question: (count: number) => `Delete ${countOf(count, 'image')}?`,
  consequence: 'The images and their prompts are deleted permanently. Their credits are not refunded.',
  keep: 'Keep them',
  confirm: 'Delete images',
};
