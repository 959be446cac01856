/** The choice of a pack. */
import { credits as creditsOf } from '../format.ts';

export const buying = {
  balance: (count: number) => `You have ${creditsOf(count)}.`,
  bestPrice: 'Best price',
  pricePerImage: (price: string, shape: string) => `${price} per ${shape} image`,
  onStripe: "You pay on Stripe's page. Taxes may be added there. Your draft stays here.",
  opening: 'Opening the checkout …',
};
