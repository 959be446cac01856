/** Shares, reports and take-downs over HTTP, with the image store's own answers and the real database. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cloudinaryFault } from '../../local/fakes/cloudinaryFaults.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { generationSchema } from '../../shared/contract.ts';
import { answerLookups } from '../support/adminLookup.ts';
import { brokenInvariants, strayImages } from '../support/invariants.ts';
import { getRefusal } from '../support/replies.ts';
import { type Stack, startStack } from '../support/stack.ts';

const publicUrl = 'https://studio.example.com';
let stack: Stack;
let admin: Awaited<ReturnType<Stack['user']>>;

beforeAll(async () => {
  stack = await startStack({ PUBLIC_URL: publicUrl, CACHE_TTL_SECONDS: '600' });
  stack.gemini.always(geminiFault.blank());
  admin = await stack.user('boss', undefined, { admin: true });
  answerLookups(stack);
});
afterAll(async () => {
  vi.unstubAllGlobals();
  await stack.close();
});

/** A user with a finished image that is shared. */
async function createShare() {
  const user = await stack.newUser();
  const { id } = (await user.generate('k')).body.generation;
  const { status, body } = await user.post('share', { id, shared: true });
  expect(status).toBe(200);
  const url = new URL(generationSchema.parse(body.generation).shareUrl ?? '');
  const token = url.pathname.split('/').at(-1) as string;
  const getPage = (init?: RequestInit) => fetch(`${stack.url}${url.pathname}`, init);
  return { user, id, url, token, copy: `shares/${token}`, getPage };
}

describe('a share', () => {
  it('has a page with a copy of the image, byte for byte', async () => {
    const { user, id, url, copy, getPage } = await createShare();
    expect(url.origin).toBe(publicUrl);
    const page = await getPage();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    const src = /<img src="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(page.headers.get('content-security-policy')).toContain(`img-src ${new URL(src).origin};`);
    const { body } = await user.get(`generation?id=${id}`);
    const images = await Promise.all([src, body.generation.image.url].map((one) => fetch(one)));
    const [shown, original] = await Promise.all(images.map((image) => image.bytes()));
    expect(shown).toEqual(original);
    expect(stack.cloudinary.assets.has(copy)).toBe(true);
    expect((await getPage({ method: 'HEAD' })).status).toBe(200);
  });

  it('is gone from store and CDN when the image is private again', async () => {
    const { user, id, copy, token, getPage } = await createShare();
    const { status, body } = await user.post('share', { id, shared: false });
    expect([status, body.generation.shareUrl, body.generation.status]).toEqual([200, undefined, 'succeeded']);
    expect((await getPage()).status).toBe(404);
    expect(stack.cloudinary.assets.has(copy)).toBe(false);
    const destroys = stack.cloudinary.requests.filter(({ publicId }) => publicId === copy);
    expect(destroys.at(-1)).toMatchObject({ action: 'destroy', invalidate: true });
    expect(await stack.document(`shares/${token}`)).toBeUndefined();
    expect(await stack.document(`outbox/${token}`)).toBeUndefined();
    expect((await user.get('gallery')).body.generations[0]).not.toHaveProperty('shareUrl');
  });

  it('whose copy cannot be deleted now is private at once, and the sweep deletes the copy', async () => {
    const { user, id, copy, token, getPage } = await createShare();
    stack.cloudinary.always({ ...cloudinaryFault.error(500), action: 'destroy' });
    expect((await user.post('share', { id, shared: false })).status).toBe(200);
    stack.cloudinary.always(undefined);
    expect([(await getPage()).status, stack.cloudinary.assets.has(copy)]).toEqual([404, true]);
    await stack.edit(`outbox/${token}`, { dueAt: new Date(0) });
    const headers = { authorization: 'Bearer owner' };
    expect((await stack.fetch('sweepHolds', { method: 'POST', headers })).status).toBe(200);
    expect(stack.cloudinary.assets.has(copy)).toBe(false);
  });
});

describe('a take-down', () => {
  it('removes image, twin, page and copy, keeps the credits, and refuses the same image as a reference', async () => {
    const { user, id, copy, getPage } = await createShare();
    const { body } = await user.get(`generation?id=${id}`);
    const data = Buffer.from(await (await fetch(body.generation.image.url)).bytes()).toString('base64');
    const twin = (await user.generate('twin')).body.generation;
    expect(twin.cached).toBe(true);
    const before = await stack.ledger(user.uid);
    const removal = { uid: user.uid, generationId: id, reason: 'It shows a living person.' };
    expect((await admin.post('takedown', removal)).status).toBe(200);
    const after = await stack.ledger(user.uid);
    expect([after.account, after.entries]).toEqual([before.account, before.entries]);
    expect(after.generations.map(({ status }) => status)).toEqual(['deleted', 'deleted']);
    expect(await brokenInvariants(stack, user.uid)).toEqual([]);
    expect(await strayImages(stack, [user.uid])).toEqual([]);
    expect([(await getPage()).status, stack.cloudinary.assets.has(copy)]).toEqual([404, false]);
    for (const url of [body.generation.image.url, body.generation.image.thumbnailUrl]) {
      expect((await fetch(url)).status).toBe(404);
    }
    expect((await user.get('gallery')).body.generations).toEqual([]);
    const references = [{ mimeType: 'image/png', data }];
    const refused = await user.generate('again', { references });
    expect(getRefusal(refused)).toEqual([400, 'INVALID_REQUEST']);
    expect((await admin.post('takedown', removal)).status).toBe(200);
  });
});

describe('a report', () => {
  it('comes without a sign-in, is listed with its image, and ends with the take-down of that', async () => {
    const { user, id, token, getPage } = await createShare();
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, reason: 'personal', details: 'That is my face.' }),
    };
    expect((await stack.fetch('report', init)).body).toEqual({ received: true });
    const { reports } = (await admin.get('reports')).body;
    const report = reports.find((one: { token: string }) => one.token === token);
    expect(report).toMatchObject({ uid: user.uid, generationId: id, reason: 'personal', status: 'open' });
    expect((await fetch(report.image.thumbnailUrl)).status).toBe(200);
    const closed = await admin.post('resolveReport', { id: report.id, resolution: 'takenDown' });
    expect(closed.body.report).toMatchObject({ id: report.id, status: 'takenDown', image: null });
    expect((await getPage()).status).toBe(404);
    const { body } = await user.get(`generation?id=${id}`);
    expect(body.generation).toMatchObject({ removedBy: 'studio', removedReason: 'personal' });
  });
});
