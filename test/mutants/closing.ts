/** Plausible mistakes about closed accounts, and about what a closing erases. */
import { type Mutants, property } from './rules.ts';

const closingTest = 'test/shared/people/closing.test.ts';
const crashTest = 'test/shared/people/closingCrashes.test.ts';
const missingTest = 'test/shared/people/missingUsers.test.ts';

/** In the ledger. */
export const inClosedAccounts: Mutants = {
  'a closed account is not refused': {
    find: '$A?.closedAt ? new Failure($$$F) : undefined',
    replace: 'undefined',
  },
  'a closed account gets its allowance': {
    find: 'suspended || closedAt !== undefined || $R',
    replace: 'suspended || $R',
    killedBy: closingTest,
  },
  'a user brings signup credits to a closed account': {
    find: '$A.closedAt ? undefined : $D.user',
    replace: '$D.user',
    killedBy: closingTest,
  },
  'a closed account that was deleted in the console is open again': {
    find: 'isClosed ? $C : undefined',
    replace: 'undefined',
    killedBy: closingTest,
  },
  'the note of a closed account becomes the reason of an entry': {
    find: '$N && !$E.closedAt && $R',
    replace: '$N && $R',
    killedBy: closingTest,
  },
  'an account that text suspends is restored by its closing': {
    find: 'kept[$F] ?? removed',
    replace: 'removed',
    killedBy: closingTest,
  },
  'fields that an admin has added stay': {
    find: '$B.strayFields.filter($F)',
    replace: '[]',
    killedBy: closingTest,
  },
};

export const inClosing: Mutants = {
  'a missing user who cannot be noted stops the others': {
    find: "$L.log.error('A missing user could not be noted', $F)",
    replace: 'throw error;',
    killedBy: 'test/shared/ledger/oneAccountFails.test.ts',
  },
  'a closing does not wait for running generations': {
    find: "isRunning ||= $R === 'IN_PROGRESS'",
    replace: '',
    killedBy: closingTest,
  },
  'a page of a closing ends its step': {
    find: 'isRunning ? $W : { writes, after: $C }',
    replace: 'isRunning ? $W : { writes }',
    killedBy: closingTest,
  },
  'twins that come late stay': {
    find: "{ name: 'twins', run: $R }",
    replace: "{ name: 'twins', run: async () => ({}) }",
    killedBy: closingTest,
  },
  'a share that no generation names stays': {
    find: "eraseEach('shares', $Q, $E)",
    replace: "eraseEach('shares', $Q, () => [])",
    killedBy: closingTest,
  },
  'the address of an admin stays in a report': {
    find: 'isOwn && { resolvedBy: uid }',
    replace: 'false',
    killedBy: closingTest,
  },
  'the reason of a grant stays in its document': {
    find: "eraseEach('grants', $Q, eraseText)",
    replace: "eraseEach('grants', $Q, () => [])",
    killedBy: closingTest,
  },
  'the reason of a take-down stays in its document': {
    find: "eraseEach('takedowns', $Q, eraseText)",
    replace: "eraseEach('takedowns', $Q, () => [])",
    killedBy: closingTest,
  },
  'the reason of a take-down stays in the generation': {
    find: 'if (record.removedReason === undefined) return',
    replace: 'return;',
    killedBy: closingTest,
  },
  'an address of the person stays as the actor': {
    find: "typeof $A === 'string' && $A.startsWith($P)",
    replace: 'false',
    killedBy: closingTest,
  },
  'a user who is missing once is closed': {
    find: '$N.getTime() - $S.getTime() >= missingMsMin',
    replace: 'true',
    killedBy: missingTest,
  },
  'a user who is back is not forgotten': {
    find: property('missingSince: $M ? $N : removed'),
    replace: 'missingSince: $N',
    killedBy: missingTest,
  },
  'a look that finds nearly nobody closes accounts': {
    find: '$M.length > missingMax && $H',
    replace: 'false',
    killedBy: missingTest,
  },
  'the step after the next is the next one': {
    find: 'closingSteps[$I + 1]',
    replace: 'closingSteps[$I + 2]',
    killedBy: crashTest,
  },
};
