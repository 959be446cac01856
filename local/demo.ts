/** Creates the demo users and their accounts in the emulators. */
import { demoPassword, demoUsers } from '../web/demoUsers.ts';

export type EmulatorEndpoints = {
  projectId: string;
  databaseId: string;
  firestoreHost: string;
  authHost: string;
};

const demoCredits = 74;

// The emulators accept this token in place of an administrator's credentials.
const ownerHeaders = { authorization: 'Bearer owner', 'content-type': 'application/json' };

/** Creates the demo users that are missing. Several runs may do this at the same time. */
export async function createDemoUsers(emulators: EmulatorEndpoints): Promise<void> {
  await Promise.all(demoUsers.map((user) => createUser(emulators, user)));
}

/** Creates the missing accounts as an admin would in the console: a document with nothing but a balance. */
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
  // The emulator ignores claims when it creates a user.
  await callAuth(emulators, ':update', { localId: uid, customAttributes: JSON.stringify(claims) });
}

// The user exists already, or another user has the e-mail address. Either way, somebody can sign in.
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
    throw new Error(`The Auth emulator refused a demo user: ${response.status} ${answer}`);
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
  // 409: the account exists already. Keep its balance.
  if (!response.ok && response.status !== 409) {
    throw new Error(`The Firestore emulator refused ${uid}'s account: ${response.status}`);
  }
}

/** One line for each demo user, with the e-mail address and password to sign in with. */
export function formatDemoUsers(): string[] {
  return demoUsers.map(({ email, uid }) => {
    const admin = uid === 'demo-admin' ? ', admin' : '';
    return `${email.padEnd(18)} password ${demoPassword}, ${demoCredits} credits${admin}`;
  });
}
