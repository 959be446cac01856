/** Values that the desk repeats from the contract; test/web/desk.test.ts checks that they are equal. */
/** The most items of each kind that the page of one account shows. */
export const newestMax = 100;
/** Maximum length of a reason in characters. */
export const reasonCharactersMax = 500;
/** Most credits of one grant. */
export const grantCreditsMax = 1_000_000_000;
