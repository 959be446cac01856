/** One person behind several users, with the tokens that the real Auth emulator signs in with. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuth, waitForEmulator } from '../../local/emulators.ts';
import { findFreePort, loopback } from '../../local/ports.ts';
import { type Child, endChild } from '../../local/processes.ts';
import { createAuth } from '../../shared/auth/auth.ts';
import { parseConfig } from '../../shared/config/config.ts';
import { createLog } from '../../shared/core/log.ts';
import { type Stack, startStack } from '../support/stack.ts';

type SignIn = { idToken: string; localId: string };

let stack: Stack;
let child: Child;
let authHost: string;
let url: string;
const runDir = mkdtempSync(join(tmpdir(), 'nano-banana-studio-people-'));

beforeAll(async () => {
  stack = await startStack({ SIGNUP_CREDITS: '10' });
  const [port, hubPort, loggingPort] = [await findFreePort(), await findFreePort(), await findFreePort()];
  child = startAuth({ port, hubPort, loggingPort, projectId: stack.projectId, runDir });
  authHost = `${loopback}:${port}`;
  await waitForEmulator(child, authHost);
  const config = parseConfig({ ...stack.environment, FIREBASE_AUTH_EMULATOR_HOST: authHost });
  const auth = createAuth(
    config,
    createLog(() => {}),
  );
  ({ url } = await stack.startServer({}, { auth }));
}, 120_000);
afterAll(async () => {
  await endChild(child, 2_000);
  await stack.close();
  rmSync(runDir, { recursive: true, force: true });
});

/** Calls the Auth emulator, as a client does, or as an admin to `/projects/…`. */
async function callAuth(path: string, body: object): Promise<SignIn> {
  const response = await fetch(`http://${authHost}/identitytoolkit.googleapis.com/v1${path}?key=local`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer owner' },
    body: JSON.stringify({ returnSecureToken: true, ...body }),
  });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as SignIn;
}

const asAdmin = (name: string, body: object) =>
  callAuth(`/projects/${stack.projectId}/accounts:${name}`, body);
const remove = ({ localId }: SignIn) => asAdmin('delete', { localId });

/** Signs in with Google. @param idToken the user to link. */
const signInWithGoogle = (sub: string, email: string, idToken?: string) =>
  callAuth('/accounts:signInWithIdp', {
    requestUri: 'http://localhost',
    returnIdpCredential: true,
    postBody: `providerId=google.com&id_token=${encodeURIComponent(JSON.stringify({ sub, email, email_verified: true }))}`,
    ...(idToken && { idToken }),
  });

async function signUpWithPassword(email: string, verified = true): Promise<SignIn> {
  const { localId } = await callAuth('/accounts:signUp', { email, password: 'nano-banana' });
  if (verified) await asAdmin('update', { localId, emailVerified: true });
  return callAuth('/accounts:signInWithPassword', { email, password: 'nano-banana' });
}

async function signInWithPhone(phoneNumber: string): Promise<SignIn> {
  const { sessionInfo } = (await callAuth('/accounts:sendVerificationCode', {
    phoneNumber,
    recaptchaToken: 'none',
  })) as unknown as { sessionInfo: string };
  const response = await fetch(
    `http://${authHost}/emulator/v1/projects/${stack.projectId}/verificationCodes`,
  );
  const { verificationCodes } = (await response.json()) as {
    verificationCodes: { sessionInfo: string; code: string }[];
  };
  const code = verificationCodes.find((one) => one.sessionInfo === sessionInfo)?.code;
  return callAuth('/accounts:signInWithPhoneNumber', { sessionInfo, code });
}

async function account({ idToken }: SignIn) {
  const headers = { authorization: `Bearer ${idToken}` };
  const { status, body } = await stack.fetch('account', { headers }, url);
  expect(status).toBe(200);
  return body.account;
}

describe('signup credits come once', () => {
  it('to one Google account, in rounds of deleting the user and signing in again', async () => {
    const balances = [];
    for (let round = 0; round < 5; round += 1) {
      const signedIn = await signInWithGoogle('g-ada', 'ada@example.com');
      balances.push((await account(signedIn)).balance);
      await remove(signedIn);
    }
    expect(balances).toEqual([10, 0, 0, 0, 0]);
  });

  it('to one mailbox, by password and by Google, in any spelling', async () => {
    expect(await account(await signUpWithPassword('b.o.b@gmail.com'))).toMatchObject({ balance: 10 });
    expect(await account(await signUpWithPassword('bob+1@gmail.com'))).toMatchObject({ balance: 0 });
    const byGoogle = await signInWithGoogle('g-bob', 'Bob@googlemail.com');
    expect(await account(byGoogle)).toMatchObject({ balance: 0 });
  });

  it('to one phone number', async () => {
    const first = await signInWithPhone('+491701234567');
    expect(await account(first)).toMatchObject({ balance: 10, email: null });
    await remove(first);
    expect(await account(await signInWithPhone('+491701234567'))).toMatchObject({ balance: 0 });
  });

  it('to an anonymous user who is linked, and not to an unverified one', async () => {
    const anonymous = await callAuth('/accounts:signUp', {});
    expect(await account(anonymous)).toMatchObject({ balance: 0 });
    const linked = await signInWithGoogle('g-cat', 'cat@example.com', anonymous.idToken);
    expect(linked.localId).toBe(anonymous.localId);
    expect(await account(linked)).toMatchObject({ uid: anonymous.localId, balance: 10 });
    const unverified = await signUpWithPassword('dan@example.com', false);
    expect(await account(unverified)).toMatchObject({ balance: 0, email: null });
  });
});

it('a suspended person is suspended under a new uid, and what is stored holds no address', async () => {
  const eve = await signInWithGoogle('g-eve', 'eve@example.com');
  await account(eve);
  await stack.edit(`accounts/${eve.localId}`, { suspended: true });
  expect(await account(eve)).toMatchObject({ suspended: true });
  await remove(eve);
  const back = await signUpWithPassword('eve@example.com');
  expect(back.localId).not.toBe(eve.localId);
  expect(await account(back)).toMatchObject({ suspended: true, balance: 0 });
  const { documents } = await stack.database.page({
    collection: 'identities',
    orderBy: [['__name__', 'asc']],
    limit: 100,
  });
  expect(documents.length).toBeGreaterThan(4);
  expect(JSON.stringify(documents.map(({ id, data }) => [id, data]))).not.toMatch(/@|\+49|g-eve/);
});
