/**
 * What docs/deployment/console.md says of an admin's edits in the Firestore console happens, and its pictures are
 * drawn from the documents of just these edits. `npm run screenshots` draws them anew.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventBody, eventHeaders } from '../../support/accountEvents.ts';
import { brokenInvariants } from '../../support/invariants.ts';
import type { Reply } from '../../support/replies.ts';
import { runJob } from '../../support/scheduler.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { drawConsole, type Panel } from './consolePicture.ts';

const folder = 'docs/deployment/console';
const page = readFileSync('docs/deployment/console.md', 'utf8');
const isWriting = process.env.CONSOLE_PICTURES === 'write';

type Fields = Record<string, unknown>;
const admin = 'admin@example.com';
const [you, ledger] = ['you', 'ledger'];
const model = 'gemini-2.5-flash-image';
const fallback = 'gemini-nano-banana-2.1';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    SIGNUP_CREDITS: '10',
    IMAGEGEN_FALLBACK_MODEL_IDS: fallback,
    ALLOWANCE_PERIOD: 'month',
  });
});
afterAll(() => stack.close());

/** Writes a picture, or expects that the one of the page is what would be written. */
function expectPicture(name: string, title: string, panels: Panel[]): void {
  // A period is named by its first day, which is another each month.
  const picture = drawConsole(title, panels).replaceAll(/month-\d{4}-\d\d-01/g, 'month-2026-11-01');
  const file = join(folder, `${name}.svg`);
  if (isWriting) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, picture);
  }
  expect(existsSync(file) && readFileSync(file, 'utf8'), 'npm run screenshots draws it anew').toBe(picture);
  expect(page).toContain(`](console/${name}.svg)`);
}

/** An edit of the console's, as the first panel of a picture. */
async function edit(path: string, fields: Fields, caption = '1. You edit'): Promise<Panel> {
  const before = await stack.document(path);
  await stack.edit(path, fields);
  const after = await stack.document(path);
  return { caption, path, ...(before && { before }), ...(after && { after }), by: you };
}

/** Has `accountWritten` told of an edit, as Eventarc does. */
async function tell(uid: string, { before, after }: Panel): Promise<void> {
  const path = `accounts/${uid}`;
  const body = eventBody(stack.projectId, path, { before, after });
  const headers = eventHeaders(stack.projectId, path, admin);
  const { status } = await stack.fetch('accountWritten', {
    method: 'POST',
    body: new Uint8Array(body),
    headers,
  });
  expect(status).toBeLessThan(300);
}

/** The account after an edit was recorded, and its newest entry. */
async function recorded(uid: string, edited: Panel, numbers = [2, 3]): Promise<Panel[]> {
  const path = `accounts/${uid}`;
  const after = await stack.document(path);
  const { id, ...entry } = (await stack.ledger(uid)).entries.at(-1) ?? {};
  return [
    {
      caption: `${numbers[0]}. Seconds later`,
      path,
      ...(edited.after && { before: edited.after }),
      ...(after && { after }),
      by: ledger,
    },
    { caption: `${numbers[1]}. The entry`, path: `${path}/entries/${id}`, after: entry },
  ];
}

/** An answer of a function, as fields. */
function answerPanel(caption: string, path: string, { status, body }: Reply): Panel {
  const { reason, metadata } = body.error.details[0];
  return { caption, path, after: { status, reason, message: body.error.message, retry: metadata.retry } };
}

/** A user whose account has so many credits, and books that are kept. */
async function settledUser(uid: string, credits: number) {
  const user = await stack.user(uid, credits);
  expect((await user.get('account')).body.account).toMatchObject({ balance: credits });
  return { ...user, path: `accounts/${uid}` };
}

const asOwner = { headers: { authorization: 'Bearer owner' } };
const auditOf = async (uid: string) => (await stack.fetch(`audit?uid=${uid}`, asOwner)).body.accounts[0];
const newest = async (uid: string) => (await stack.ledger(uid)).entries.at(-1);
const sound = async (uid: string) => expect(await brokenInvariants(stack, uid)).toEqual([]);

it('change a balance', async () => {
  const { path, get } = await settledUser('ada', 74);
  const edited = await edit(path, { balance: 100 });
  await tell('ada', edited);
  expect(await newest('ada')).toMatchObject({ type: 'adjustment', amount: 26, balance: 100, actor: admin });
  expect((await get('account')).body.account).toMatchObject({ balance: 100, sequence: 2 });
  expectPicture('balance', 'A balance of 74 is set to 100', [edited, ...(await recorded('ada', edited))]);
  await sound('ada');
});

it('add or take credits with adjust and note', async () => {
  const user = await settledUser('bea', 74);
  await edit(user.path, { adjust: 5, note: 'for the trouble' });
  // Whoever comes next records it, and what is spent meanwhile is spent.
  expect((await user.generate('spent meanwhile')).body.receipt).toMatchObject({ balance: 78 });
  const entries = (await stack.ledger('bea')).entries.map(({ type, amount, reason }) => [
    type,
    amount,
    reason,
  ]);
  expect(entries.slice(1)).toEqual([
    ['adjustment', 5, 'for the trouble'],
    ['debit', -1, undefined],
  ]);

  await sound('bea');

  const { path } = await settledUser('ben', 74);
  const pictured = await edit(path, { adjust: 5, note: 'for the trouble' });
  await tell('ben', pictured);
  expect(await newest('ben')).toMatchObject({
    amount: 5,
    balance: 79,
    reason: 'for the trouble',
    actor: admin,
  });
  for (const field of ['adjust', 'note']) expect(await stack.document(path)).not.toHaveProperty(field);
  const panels = [pictured, ...(await recorded('ben', pictured))];
  expectPicture('adjust', 'Five credits are added to whatever the balance is, with a note', panels);
});

it('suspend an account', async () => {
  const user = await settledUser('cal', 20);
  const edited = await edit(user.path, { suspended: true });
  const refused = await user.generate('k');
  expect([refused.status, refused.body.error.details[0].reason]).toEqual([403, 'ACCOUNT_SUSPENDED']);
  expect((await user.get('gallery')).status).toBe(200);
  expect((await stack.ledger('cal')).entries).toHaveLength(1);
  const answer = answerPanel('2. What its user gets from then on', 'generate', refused);
  expectPicture('suspend', 'An account is suspended', [edited, answer]);
  await edit(user.path, { suspended: false });
  expect((await user.generate('k')).status).toBe(200);
  await sound('cal');
});

it('give an account an allowance of its own', async () => {
  const user = await settledUser('dan', 4);
  const edited = await edit(user.path, { allowance: 25 });
  expect((await runJob(stack, 'refillAllowances')).body).toMatchObject({ refilled: 1 });
  expect(await newest('dan')).toMatchObject({ type: 'allowance', amount: 21, balance: 25 });
  expect((await user.get('account')).body.account.allowance).toMatchObject({ credits: 25, period: 'month' });
  const [account, entry] = await recorded('dan', edited);
  const panels = [edited, { ...account, caption: '2. After the next refill' } as Panel, entry as Panel];
  expectPicture('allowance', 'An account gets an allowance of 25', panels);
  expect((await runJob(stack, 'refillAllowances')).body).toMatchObject({ refilled: 0 });
  await sound('dan');
});

it('switch a model off', async () => {
  const user = await settledUser('eva', 20);
  const edited = await edit(`quota/${model}`, { state: 'off', reason: 'poor hands' });
  const { url, close } = await stack.startServer();
  const { body } = await user.generate('k', {}, url);
  expect(body.generation).toMatchObject({ status: 'succeeded', model: fallback });
  expect(body.receipt).toMatchObject({ charged: 1 });
  const { id, status, credits } = (await stack.ledger('eva')).generations[0] ?? {};
  const painted = { status, credits, model: body.generation.model };
  const next = {
    caption: '2. The next image, in part',
    path: `accounts/eva/generations/${id}`,
    after: painted,
  };
  expectPicture('model-off', 'A model is switched off', [{ ...edited, caption: '1. You add' }, next]);
  expect(await stack.document(`quota/${model}`)).toEqual(edited.after);
  await edit(`quota/${model}`, { state: 'ready' });
  await close();
  const anew = await stack.startServer();
  expect((await user.generate('k2', {}, anew.url)).body.generation.model).toBe(model);
  await anew.close();
});

it('switch all painting off', async () => {
  const user = await settledUser('fay', 20);
  const edited = await edit('quota/all', { state: 'off' });
  const { url, close } = await stack.startServer();
  const refused = await user.generate('k', {}, url);
  expect([refused.status, refused.body.error.details[0].reason]).toEqual([503, 'PROVIDER_QUOTA']);
  expect((await stack.ledger('fay')).entries).toHaveLength(1);
  const answer = answerPanel('2. What everybody gets from then on', 'generate', refused);
  expectPicture('generation-off', 'All image generation is switched off', [
    { ...edited, caption: '1. You add' },
    answer,
  ]);
  await edit('quota/all', { state: 'ready' });
  await close();
  const anew = await stack.startServer();
  // Refused before any debit: the key is still good.
  expect((await user.generate('k', {}, anew.url)).status).toBe(200);
  await anew.close();
});

it('mend a balance that is no whole number', async () => {
  const user = await settledUser('gil', 74);
  const mistyped = await edit(user.path, { balance: '100' }, '1. Somebody typed text');
  await tell('gil', mistyped);
  const refused = await user.get('account');
  expect([refused.status, refused.body.error.details[0].reason]).toEqual([409, 'ACCOUNT_INVALID']);
  expect(await stack.document(user.path)).toEqual(mistyped.after);
  const mended = await edit(user.path, { balance: 100 }, '3. You set the type to number');
  await tell('gil', mended);
  expect(await newest('gil')).toMatchObject({ type: 'adjustment', amount: 26, balance: 100 });
  const [, entry] = await recorded('gil', mended, [0, 4]);
  const answer = answerPanel('2. What its user gets until then', 'account, generate', refused);
  expectPicture('mistyped', 'A balance is text, and is fixed', [mistyped, answer, mended, entry as Panel]);
  await sound('gil');
});

it('put back what is the ledger’s', async () => {
  const user = await settledUser('hal', 74);
  const changed = await edit(user.path, { sequence: 8 }, '1. Somebody changed a field of the ledger’s');
  const reported = (await runJob(stack, 'reconcile')).body.broken;
  expect(reported).toMatchObject([{ uid: 'hal', ok: false }]);
  expect(await stack.document(user.path)).toEqual(changed.after);
  const putBack = await edit(user.path, { sequence: 1 }, '3. You put it back');
  expect(await auditOf('hal')).toMatchObject({ ok: true, differences: [] });
  const shown = ({ ok, differences }: Fields) => ({ ok, differences: (differences as string[]).join('; ') });
  expectPicture('broken', 'A sequence that was changed is put back', [
    changed,
    { caption: '2. What reconcile reports', path: 'reconcile, audit', after: shown(reported[0]) },
    putBack,
    { caption: '4. What audit says then', path: 'audit?uid=hal', after: shown(await auditOf('hal')) },
  ]);
  await sound('hal');
});

it('delete an account', async () => {
  const user = await stack.user('ina');
  expect((await user.get('account')).body.account).toMatchObject({ balance: 10, sequence: 1 });
  const path = 'accounts/ina';
  const before = (await stack.document(path)) as Fields;
  await stack.erase(path);
  expect((await user.get('account')).body.account).toMatchObject({ balance: 0, sequence: 2 });
  const entries = (await stack.ledger('ina')).entries.map(({ id, amount }) => [id, amount]);
  expect(entries).toEqual([
    ['signup', 10],
    ['adjustment:2', -10],
  ]);
  const deleted = { caption: '1. You delete the document', path, before, by: you };
  const [back, entry] = await recorded('ina', deleted);
  const panels = [deleted, { ...back, caption: '2. At its user’s next call' } as Panel, entry as Panel];
  expectPicture('delete', 'An account is deleted and comes back', panels);
  await sound('ina');
});

it('make an account by hand', async () => {
  const path = 'accounts/jon';
  const made = await edit(path, { balance: 50 }, '1. You add');
  await tell('jon', made);
  expect(await newest('jon')).toMatchObject({ type: 'adjustment', amount: 50, balance: 50, sequence: 1 });
  expectPicture('by-hand', 'An account is made by hand', [made, ...(await recorded('jon', made))]);
  const user = await stack.user('jon');
  expect((await user.get('account')).body.account).toMatchObject({ balance: 50, sequence: 1 });
  await sound('jon');
});

it('each picture is one of the page', () => {
  expect(readdirSync(folder).filter((name) => !page.includes(`](console/${name})`))).toEqual([]);
});
