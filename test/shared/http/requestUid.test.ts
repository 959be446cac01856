/** The line of a request names its caller, whatever the outcome. */
import { expect, it } from 'vitest';
import { functions } from '../../../functions/index.ts';
import { createMemoryServices } from '../../support/memoryServices.ts';

const callers = await Promise.all(
  Object.entries(functions).flatMap(([name, module]) =>
    typeof module === 'function' ? [module().then(({ spec }) => ({ name, access: spec.access }))] : [],
  ),
);
const namesFor = (access: string) => callers.filter((one) => one.access === access).map(({ name }) => name);

it.each(namesFor('user'))('%s logs the uid of the user', async (name) => {
  const { call, lines } = createMemoryServices();
  await call(name, { as: 'user:ann', body: { unknown: true } });
  expect(lines.filter((line) => line.function === name)).toMatchObject([{ uid: 'ann' }]);
});

it.each(namesFor('admin'))('%s logs the uid of the admin', async (name) => {
  const { call, lines } = createMemoryServices();
  await call(name, { as: 'admin:root', query: { uid: 'ann' }, body: { unknown: true } });
  expect(lines.filter((line) => line.function === name)).toMatchObject([{ admin: 'root' }]);
});

it('a grant logs both the admin and the user whom it is for', async () => {
  const { call, lines, store } = createMemoryServices();
  store.commit([{ create: 'accounts/ann', data: { balance: 10 } }]);
  await call('grant', { as: 'admin:root', key: 'k', body: { uid: 'ann', amount: 5, reason: 'a gift' } });
  expect(lines.at(-1)).toMatchObject({ function: 'grant', outcome: 'ok', admin: 'root', uid: 'ann' });
});
