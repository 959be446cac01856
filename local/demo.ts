/** The users there are to sign in with. */
import { demoPassword, demoUsers } from '../web/demoUsers.ts';

export type EmulatorEndpoints = {
  projectId: string;
  databaseId: string;
  firestoreHost: string;
  authHost: string;
};

const demoCredits = 74;

// What the emulators take in place of an administrator's credentials.
const ownerHeaders = { authorization: 'Bearer owner', 'content-type': 'application/json' };

/** Creates the demo users where they are missing; several runs may do so at once. */
export async function createDemoUsers(emulators: EmulatorEndpoints): Promise<void> {
  await Promise.all(demoUsers.map((user) => createUser(emulators, user)));
}

/** Gives each an account, where it has none, as an admin would by hand: nothing but a balance. */
export async function createDemoAccounts(emulators: EmulatorEndpoints): Promise<void> {
  await Promise.all(demoUsers.map((user) => createAccount(emulators, user.uid)));
}

type DemoUser = (typeof demoUsers)[number];

async function createUser(
  emulators: EmulatorEndpoints,
  { uid, email, displayName, claims }: DemoUser,
): Promise<void> {
  const password = demoPassword;
  await callAuth(emulators, '', { localId: uid, email, emailVerified: true, password, displayName });
  // Claims are not taken with a new user.
  await callAuth(emulators, ':update', { localId: uid, customAttributes: JSON.stringify(claims) });
}

// The user is there already, or somebody else has its e-mail address: both are as good.
const harmlessRefusal = /DUPLICATE_LOCAL_ID|EMAIL_EXISTS|USER_NOT_FOUND/;

async function callAuth(
  { authHost, projectId }: EmulatorEndpoints,
  action: string,
  body: object,
): Promise<void> {
  const url = `http://${authHost}/identitytoolkit.googleapis.com/v1/projects/${projectId}/accounts${action}`;
  const response = await fetch(url, { method: 'POST', headers: ownerHeaders, body: JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok && !harmlessRefusal.test(answer)) {
    throw new Error(`The Auth emulator did not take a demo user: ${response.status} ${answer}`);
  }
}

async function createAccount(emulators: EmulatorEndpoints, uid: string): Promise<void> {
  const { firestoreHost, projectId, databaseId } = emulators;
  const documents = `http://${firestoreHost}/v1/projects/${projectId}/databases/${databaseId}/documents`;
  const response = await fetch(`${documents}/accounts?documentId=${uid}`, {
    method: 'POST',
    headers: ownerHeaders,
    body: JSON.stringify({ fields: { balance: { integerValue: String(demoCredits) } } }),
  });
  // 409: the account is there already, with whatever has been spent of it.
  if (!response.ok && response.status !== 409) {
    throw new Error(`The Firestore emulator did not take ${uid}'s account: ${response.status}`);
  }
}

/** Two lines a person can sign in with. */
export function formatDemoUsers(): string[] {
  return demoUsers.map(({ email, uid }) => {
    const admin = uid === 'demo-admin' ? ', admin' : '';
    return `${email.padEnd(18)} password ${demoPassword}, ${demoCredits} credits${admin}`;
  });
}
