/** What an entry of the ledger did, in a sentence. */
export const explanations = {
  signup: 'A gift for your first visit.',
  grant: 'A gift from the studio.',
  adjustment: 'The studio has corrected your balance.',
  purchase: 'Your payment arrived.',
  debt: 'These credits pay for a payment that was returned after you had spent them.',
  refund: 'We returned your payment, so its credits left your balance.',
  refundFailed: 'Your bank did not accept the refund, so you have the credits again.',
  dispute: 'Your bank took the payment back, so its credits left your balance.',
  disputeEnded: 'The payment is ours again, so you have the credits again.',
  clawback: 'A payment was returned, so its credits left your balance.',
  reinstatement: 'A payment is valid again, so you have its credits again.',
};
