/** The choice of a pack. */
import { credits as creditsOf } from '../format.ts';

export const buying = {
  balance: (count: number) => `You have ${creditsOf(count)}.`,
  confirmFirst: (email: string) =>
    `Please confirm ${email} before you buy credits, with the link in the e-mail we sent you.`,
  bestPrice: 'Best price',
  pricePerImage: (price: string, shape: string) => `${price} per ${shape} image`,
  onStripe: "You pay on Stripe's page. Taxes may be added there. Your draft stays here.",
  opening: 'Opening the checkout …',
};
