/** One account that fails never stops the others, and is reported. */
import { expect, it } from 'vitest';
import type { Audit } from '../../../shared/contract.ts';
import { tokens } from '../../simulation/instance.ts';
import { createMemoryStudio } from '../../support/memoryStudio.ts';

const uids = ['ann', 'bob', 'cleo', 'dan'];
/** An error of the database that retries do not end. */
const broken = () => Object.assign(new Error('The database is broken.'), { code: 13 });

type Options = Parameters<typeof createMemoryStudio>[0];

async function openAccounts(options: Options) {
  const studio = createMemoryStudio(options);
  for (const uid of uids) await studio.get('account', {}, `user:${uid}`);
  return studio;
}

const bobCannotBeAudited: Options = {
  faults: ({ totals }) => ({
    totals: async (path, requests) => {
      if (path === 'accounts/bob') throw broken();
      return totals(path, requests);
    },
  }),
};
const toResults = (audits: Audit[]) => audits.map(({ uid, ok, differences }) => [uid, ok, differences]);
const unaudited = ['bob', false, ['could not be audited; the log says why']];

it('reconcile reports an account that cannot be audited, and audits the others', async () => {
  const studio = await openAccounts(bobCannotBeAudited);
  const { status, body } = await studio.runJob('reconcile');
  expect([status, body.checked]).toEqual([200, 4]);
  expect(toResults(body.broken)).toEqual([unaudited]);
  expect(studio.findEvents('account_broken')).toMatchObject([{ uid: 'bob' }]);
  expect(studio.findEvents('job_finished')).toHaveLength(1);
});

it('audit answers for the other accounts of a page', async () => {
  const studio = await openAccounts(bobCannotBeAudited);
  const { status, body } = await studio.get('audit', {}, tokens.admin('root'));
  expect(status).toBe(200);
  expect(toResults(body.accounts)).toEqual([
    ['ann', true, []],
    unaudited,
    ['cleo', true, []],
    ['dan', true, []],
  ]);
  expect(studio.lines).toContainEqual(
    expect.objectContaining({ severity: 'ERROR', message: 'An account could not be audited', uid: 'bob' }),
  );
});

it('reconcile notes the other missing users if one cannot be noted', async () => {
  const studio = await openAccounts({
    users: {
      lookUp: async (asked) =>
        asked.includes('dan') ? [{ uid: 'dan', disabled: false, signedOutBefore: 0, admin: false }] : [],
      findByEmail: async () => [],
      remove: async () => {},
    },
    faults: ({ commit }) => ({
      commit: async (writes) => {
        if (writes.some((write) => 'create' in write && write.create === 'closures/bob')) throw broken();
        return commit(writes);
      },
    }),
  });
  const { status, body } = await studio.runJob('reconcile');
  expect(status).toBe(200);
  expect(body.broken.map(({ uid }: Audit) => uid)).toEqual(['ann', 'bob', 'cleo']);
  expect(studio.documents('closures')).toHaveLength(2);
  const errors = studio.lines.filter(({ severity }) => severity === 'ERROR');
  expect(errors).toContainEqual(
    expect.objectContaining({ message: 'A missing user could not be noted', uid: 'bob' }),
  );
  expect(studio.findEvents('job_finished')).toHaveLength(1);
});
