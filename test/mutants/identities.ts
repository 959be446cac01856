/** Plausible mistakes about people: what is given once, and what follows a person. */
import { type Mutants, property } from './rules.ts';

const peopleTest = 'test/shared/ledger/people.test.ts';
const suspensionTest = 'test/shared/ledger/suspension.test.ts';

export const inIdentities: Mutants = {
  'an account does not list its identities': {
    find: 'if ($A.identities !== $B.identities) $D.identities = [...$C]',
    replace: '',
    killedBy: peopleTest,
  },
  'signup credits are for an account, not for a person': {
    find: '$P.hasHadSignup || $H',
    replace: '$H',
  },
  'the allowance is for an account, not for a person': {
    find: property('allowancePeriod: findNewestPeriod([$A.allowancePeriod, ...$P], $C)'),
    replace: 'allowancePeriod: $A.allowancePeriod',
  },
  'an account of before has not had its signup credits': {
    find: '$B?.signupAt ?? ($A.signupDue ? undefined : $N)',
    replace: '$B?.signupAt',
    killedBy: peopleTest,
  },
  'a new identity neither suspends nor restores': {
    find: '[own, ...met.map(getDecision)]',
    replace: '[own]',
    killedBy: suspensionTest,
  },
  'where an identity is met, the later decision counts': {
    find: '$D ? joined : decideSuspension($$$A)',
    replace: 'joined',
    killedBy: suspensionTest,
  },
  "where an identity is met, disputes take over an admin's suspension": {
    find: 'lists.some($F) ? [] : $U',
    replace: '$U',
    killedBy: 'test/shared/payments/disputesOfPerson.test.ts',
  },
  'an account that was deleted has lost its person': {
    find: 'identities.map(({ id }) => [id])',
    replace: '[]',
    killedBy: suspensionTest,
  },
  'a payment opens an account that was deleted without its person': {
    find: '$D.readsPerson || $D.identities.length > 0',
    replace: '$D.readsPerson ?? $D.identities.length > 0',
    killedBy: 'test/shared/payments/reversals.test.ts',
  },
  'an identity is new to an account that it lists': {
    find: '$A.identities.includes($H) || $D?.uids.includes($A.uid) === true',
    replace: '$A.identities.includes($H)',
    killedBy: suspensionTest,
  },
  'the earlier decision counts': {
    find: '$D > 0 || ($D === 0 && !$O.suspended)',
    replace: '$D < 0 || ($D === 0 && !$O.suspended)',
    killedBy: suspensionTest,
  },
  'a spread stays with those who share an identity': {
    find: 'for (const other of $F.uids) { if (uids.size < $M) uids.add(other); }',
    replace: 'if (uids.size === 1) for (const other of $F.uids) uids.add(other);',
    killedBy: suspensionTest,
  },
  'a spread leaves its decision behind': {
    find: 'last = $F.last',
    replace: '',
    killedBy: suspensionTest,
  },
  'an edit in the console stays in one account': {
    find: 'if (wasSuspended) await $F($L, $U)',
    replace: '',
    killedBy: suspensionTest,
  },
  'the document of an older key is left behind': {
    find: 'new Set([...$H, ...older, ...$I])',
    replace: 'new Set([...$H, ...$I])',
    killedBy: peopleTest,
  },
  'an account that was deleted gets its allowance before its user comes': {
    find: '$K ? { verified: false } : $S',
    replace: '$K ? { verified: true } : $S',
    killedBy: peopleTest,
  },
  'an allowance of another kind counts like one of the current kind': {
    find: 'ofKind.sort().at(-1) ?? $K',
    replace: 'known.at(-1)',
    killedBy: peopleTest,
  },
  'a decision that agrees is written again': {
    find: '$L && !isDeepStrictEqual($L, $O) ? $W : $A',
    replace: '$L && $L !== $O ? $W : $A',
    killedBy: suspensionTest,
  },
};
