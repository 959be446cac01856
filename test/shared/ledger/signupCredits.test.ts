/** How many signup credits an address gets. */
import { expect, it } from 'vitest';
import type { LedgerSettings } from '../../../shared/ledger/ledger.ts';
import { countSignupCredits } from '../../../shared/ledger/signupCredits.ts';

const count = (email: string | undefined, signupCredits = 10, disposableEmailCredits = 2) =>
  countSignupCredits({ signupCredits, disposableEmailCredits } as LedgerSettings, email);

it.each([
  ['ada@example.com', 10],
  ['ada@gmail.com', 10],
  [undefined, 10],
  ['ada@mailinator.com', 2],
  ['Ada@Mailinator.COM', 2],
  ['ada@mail.mailinator.com', 2],
  ['ada@mailinator.com.', 2],
  ['ada@notmailinator.com.example', 10],
])('%s gets %i', async (email, expected) => {
  expect(await count(email)).toBe(expected);
});

it('a throw-away address never gets more than any other', async () => {
  expect(await count('ada@mailinator.com', 1, 5)).toBe(1);
  expect(await count('ada@mailinator.com', 0, 0)).toBe(0);
});
