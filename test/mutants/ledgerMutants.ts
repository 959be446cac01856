/** Mistakes in the rules of credit, and in the commands on one account. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the patterns are code.
import { anywhere, type Mutants, object, property } from './rules.ts';

const changeAccountTest = 'test/shared/ledger/changeAccount.test.ts';

export const inLedger: Mutants = {
  'settled does not move with an entry': {
    find: object('...$A, balance, $S, sequence'),
    replace: '{ ...$A, balance, sequence }',
  },
  'an adjustment does not move settled': {
    find: object('...$A, balance, $S: balance, note: undefined'),
    replace: '{ ...$A, balance, note: undefined }',
  },
  'the id of an entry is random': {
    find: '`${$G}:refund`',
    replace: '`${$G}:refund:${Math.random()}`',
  },
  'a price is taken whatever the balance': {
    find: '$B < $C ? $F($C, $B) : undefined',
    replace: '$B < 0 ? $F($C, $B) : undefined',
  },
  'a refund overwrites an invalid balance': {
    find: 'if ($A.balance !== null) $D.balance = $A.balance',
    replace: '$D.balance = $A.balance ?? $D.settled;',
  },
  'an adjust stays where it was': {
    find: 'if ($B.adjust !== undefined && $A.adjust === undefined) $D.adjust = removed',
    replace: '',
  },
  'holds of the last minute are not counted': {
    find: property('rate: [...$R, $N]'),
    replace: 'rate: [...$R]',
  },
  'a debit does not count as a use of the account': {
    find: object('...$A, active, rate: $R, usedAt: $N'),
    replace: '{ ...$A, active, rate: $R }',
    killedBy: 'test/shared/ledger/creditChanges.test.ts',
  },
  'billed refunds are not counted': {
    find: 'const billedRefunds = [...$R, $N]',
    replace: 'const billedRefunds = $R;',
  },
  'an allowance that is typed wrong is paid as the default': {
    find: '$C($D.allowance) ? $D.allowance : 0',
    replace: '$C($D.allowance) ? $D.allowance : undefined',
    killedBy: 'test/shared/ledger/mistyped.test.ts',
  },
  'allowances are for everybody': {
    find: '$S || !verified || $F($A) !== undefined',
    replace: '$S || $F($A) !== undefined',
  },
  'a suspended account gets its allowance': {
    find: 'suspended || $C || !$V || $F($A) !== undefined',
    replace: '$C || !$V || $F($A) !== undefined',
    killedBy: 'test/shared/ledger/ownAllowance.test.ts',
  },
  'an allowance that an entry proves is given again for ever': {
    find: 'return refill($A, $D.get($P) ? 0 : allowance, $N)',
    replace: 'return refill($A, allowance, $N);',
    killedBy: 'test/shared/ledger/ownAllowance.test.ts',
  },
  'text in suspended does not suspend': {
    find: '!$F(suspended) && suspended !== false',
    replace: 'suspended === true',
    killedBy: 'test/shared/ledger/mistyped.test.ts',
  },
  'an account that cannot be audited stops the others': {
    find: 'auditAccount($L, $U).catch($F)',
    replace: 'auditAccount($L, $U)',
    killedBy: 'test/shared/ledger/oneAccountFails.test.ts',
  },
  'a pending generation without a deadline is not reported': {
    find: '$D.deadline instanceof Date',
    replace: 'true',
    killedBy: 'test/shared/generation/spoiltGenerations.test.ts',
  },
  'a field with a misspelt name is not logged': {
    find: '[...findMistypedFields($D), ...findUnknownFields($F)]',
    replace: 'findMistypedFields($D)',
    killedBy: 'test/shared/ledger/mistyped.test.ts',
  },
  'a changed sequence is not noticed': {
    find: '$F($D) && $E !== undefined && $E !== $S',
    replace: 'false',
  },
  'an edit is recorded although the sequence is wrong': {
    find: '$A.balance === null || !$A.fitsEntries',
    replace: '$A.balance === null',
  },
  'a wrong sequence that an entry rejects is tried again for ever': {
    find: 'return [...$U.keys()].some($F)',
    replace: 'return false;',
    killedBy: 'test/shared/ledger/wrongSequence.test.ts',
  },
  'an account is written over whatever an admin has typed meanwhile': {
    find: 'updateDocument($P($A.uid), $D, $B.version)',
    replace:
      '{ set: $P($A.uid), data: Object.fromEntries(Object.entries($D).filter(([, value]) => typeof value !== "symbol")) }',
  },
  'an allowance is added, not topped up to': {
    find: '$W - ($A.balance ?? $W)',
    replace: '$W',
  },
  'a refused grant forgets the edit it found': {
    find: {
      pattern: 'if ($R) return $O',
      precedes: { pattern: 'const $C = $F($A, { id: $I, amount, reason, actor, $$$ })' },
    },
    replace: 'if ($R) throw $R;',
  },
  'a grant ignores for whom its key was used': {
    find: 'if ($G.uid !== $U || $G.amount !== $A || $G.generationId !== $I) return $R',
    replace: '',
  },
  'a grant does not keep its key': {
    find: { pattern: '[createDocument($P, $G), createDocument($O, $G), $A]', inside: { kind: 'pair' } },
    replace: '[]',
  },
  'a goodwill refund comes once for each key': {
    find: '`${$G}:goodwill`',
    replace: '`${$G}:goodwill:${Math.random()}`',
  },
  'a goodwill refund may be more than the price': {
    find: 'amount < 1 || amount > $P',
    replace: 'amount < 1',
  },
  'a second goodwill refund is tried until the time is over': {
    find: 'if (documents.get(done)) return $R',
    replace: '',
    killedBy: 'test/shared/ledger/goodwill.test.ts',
  },
  "a grant's key is hashed with the admin": {
    find: 'hashIdempotencyKey($K)',
    replace: 'hash(JSON.stringify([admin.uid, $K]))',
    killedBy: 'test/shared/ledger/grant.test.ts',
  },
  'a missing account is created over whatever is there': {
    find: 'createDocument($P, { balance: 0, $$$F })',
    replace: '{ set: $P, data: { balance: 0, $$$F } }',
  },
  'an account that was deleted gets signup credits again': {
    find: '$K ? { verified: false } : { signupDue: true }',
    replace: '{ signupDue: true }',
    killedBy: 'test/shared/ledger/people.test.ts',
  },
  'an account that was deleted starts a new ledger': {
    find: '$F($D, (await $G($L, $I)) ?? $N)',
    replace: '$F($D)',
  },
  'signup credits are for everybody': {
    find: 'user?.verified ? await $F($L, $J, user, $G) : $J',
    replace: 'user ? await $F($L, $J, user, $G) : $J',
  },
  'a change is committed without the edit it found': {
    find: '$F($P, () => $D.$C)',
    replace: '$D.$C',
  },
  'a change is not fenced: it is written whatever the version': {
    find: 'const $V = await $D.commit($W)',
    replace: `const $V = await $D.commit(await Promise.all($W.map(async (write) =>
      'at' in write ? { ...write, at: (await $D.read([write.update])).documents[0]?.version ?? write.at } : write)));`,
  },
  'a refusal is thrown before the edit it found is committed': {
    find: 'if ($K in $D && $C) await $F($P)',
    replace: '',
  },
  'a retry decides by what the first attempt read': {
    find: {
      pattern: 'const $X = await $R($L, $P)',
      follows: { pattern: '$B = true;' },
      precedes: { pattern: '$F($L, $U, $D, $M);' },
    },
    replace: 'const $X = await ($M.first ??= $R($L, $P));',
  },
  'a retry does not look for the answer of its first attempt': {
    find: {
      pattern: 'const $E = $C.$G?.($D, $N)',
      follows: { pattern: '$F($L, $U, $D, $M);' },
    },
    replace: 'const $E = $M.isRetry ? undefined : $C.$G?.($D, $N); $M.isRetry = true;',
  },
  'documents that a decision asks for are not added': {
    find: 'for (const [$P, $D] of $M.$X) $A.set($P, $D)',
    replace: '',
  },
  'a retry does not read the entries in doubt': {
    find: '[$A, $$$B, ...$U.keys()]',
    replace: '[$A, $$$B]',
    killedBy: changeAccountTest,
  },
  'a committed entry is not logged': {
    find: { pattern: '$F($L, $U, $I, $E);', follows: { pattern: '$M.delete($P($U, $I));' } },
    replace: '',
  },
  'an entry whose reply was lost is never logged': {
    find: { pattern: '$F($L, $U, $D, $M);', follows: { pattern: 'const $X = await $R($L, $P)' } },
    replace: '',
    killedBy: changeAccountTest,
  },
  'an entry whose reply was lost is logged twice': {
    find: { pattern: '$M.delete($P);', inside: anywhere({ pattern: 'for (const [$P, $A] of $M) { $$$B }' }) },
    replace: '',
    killedBy: changeAccountTest,
  },
  'an entry of another process is logged as its own': {
    find: '$A.find(($T) => $S && $F($T, $D))',
    replace: '$A[0]',
    killedBy: changeAccountTest,
  },
};

export const inPrices: Mutants = {
  'a larger image costs no more': {
    find: '$C[$T] * $F[$R]',
    replace: '$C[$T]',
  },
};
