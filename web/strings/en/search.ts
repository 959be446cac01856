/** The search of the gallery. */

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
