/**
 * Values that the page repeats from the contract: importing shared/contract.ts would load zod for every visitor.
 * test/web/words.test.ts checks that they are equal.
 */
/** Maximum length of a prompt in Unicode code points. */
export const promptCharactersMax = 4000;
/** Maximum length of the details of a report in characters. */
export const reportDetailsCharactersMax = 2_000;
