/** Confirming the address. */
export const verification = {
  title: 'Confirm your address',
  please: (email: string) => `Please confirm ${email} with the link in the e-mail we sent you.`,
  brings: 'Without it, you cannot buy credits or improve prompts.',
  bringsFree: (count: string) => `You then have ${count} for free, and can buy more.`,
  haveConfirmed: 'I have confirmed',
  notYet: 'The address is not confirmed yet.',
  thanks: 'Thank you. Your address is confirmed.',
};
