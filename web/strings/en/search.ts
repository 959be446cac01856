/** The search of the gallery. */
import { countOf } from '../format.ts';

export const search = {
  label: 'Search your prompts',
  placeholder: 'Search',
  clear: 'Clear the search',
  favourites: 'Favourites',
  searching: 'Searching …',
  nothingTitle: 'No image found.',
  nothing: (query: string) => `None of your prompts has “${query}”.`,
  noFavourite: 'None of your images is a favourite yet. The heart on an image makes it one.',
  found: (count: number) => (count === 0 ? 'No image found.' : `${countOf(count, 'image')} found.`),
  foundSoFar: (count: number) => `${countOf(count, 'image')} found so far.`,
  showAll: 'Show all images',
};
