/** Plausible mistakes about closed accounts. */
import type { Mutants } from './rules.ts';

const closingTest = 'test/shared/people/closing.test.ts';

/** In the ledger. */
export const inClosedAccounts: Mutants = {};

export const inClosing: Mutants = {};
void closingTest;
