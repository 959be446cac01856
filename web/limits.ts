/**
 * Of the contract, what the page needs as a value: importing the schemas would bring zod to every visitor.
 * A test keeps it equal.
 */
/** Longest prompt, in Unicode code points. */
export const promptCharactersMax = 4000;
