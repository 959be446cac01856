/** Mistakes in searches and favourites. */
import { type Mutants, object, property } from './rules.ts';

export const inSearches: Mutants = {
  'a deletion keeps the words of the prompt': {
    find: property('words: null'),
    replace: 'words: undefined as never',
  },
  'a deletion keeps the mark': {
    find: property('favourite: null'),
    replace: 'favourite: undefined as never',
  },
  'a twin has no words': {
    find: object('...$P, ...toSharedFields($S), words: toWords($P), $$$F'),
    replace: '{ ...$P, ...toSharedFields($S), $$$F }',
  },
  'a search finds images with one of its words': {
    find: '$W.every(($X) => $R.words?.includes($X))',
    replace: 'true',
  },
  'an image that is not finished can be marked': {
    find: "if ($R?.status !== 'succeeded') throw $E;",
    replace: 'if (!$R) throw $E;',
  },
};

export const inPages: Mutants = {
  'a search ends with the documents that one page reads': {
    find: property('last: $E ? undefined : $L'),
    replace: 'last: undefined',
    killedBy: 'test/shared/generation/search.test.ts',
  },
};
