/** Mistakes in the terms, and in the export of an account. */
import type { Mutants } from './rules.ts';

const termsTest = 'test/shared/people/terms.test.ts';

export const inEnhance: Mutants = {
  'terms are not checked for an improved prompt': {
    find: '$S ?? refuseTerms($A, $V)',
    replace: '$S',
    killedBy: termsTest,
  },
};

export const inTerms: Mutants = {
  'accepting the terms again records a later time': {
    find: '$A.terms?.version === $V',
    replace: 'false',
    killedBy: termsTest,
  },
  'a list of the export ends with its first page': {
    find: 'after = $C ? undefined : $I',
    replace: 'after = undefined',
    killedBy: 'test/shared/people/exportAccount.test.ts',
  },
};
