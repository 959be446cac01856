/** The default prices, written down once more. */
export const tierCredits = { standard: 1, premium2: 2, premium4: 4 };
