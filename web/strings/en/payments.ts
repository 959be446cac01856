/** What happened to a payment. */
import { credits as creditsOf } from '../format.ts';

export const payments = {
  title: 'Your payment',
  checkAgain: 'Check again',
  confirming: 'Confirming your payment …',
  paid: (bought: number) => `You bought ${creditsOf(bought)}.`,
  failed: 'Your bank refused the payment. Nothing was charged.',
  waiting:
    'Your credits will be added when your bank confirms the payment. If it does not, nothing is charged.',
  left: 'You left the checkout. Nothing was charged.',
  notCredited: 'Your payment has arrived, but its credits are not added yet. Please contact support.',
  notFound: 'This payment does not belong to this account. Sign in with the account that you paid from.',
  unknown: (problem: string) => `We could not confirm your payment yet. ${problem}`,
};
