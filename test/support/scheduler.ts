/** Calls as Cloud Scheduler makes them: with an OIDC token that Google signs for the configured service account. */
import { SignJWT } from 'jose';
import type { Stack } from './stack.ts';

const audience = 'https://studio.example.com';
const email = 'scheduler@demo.iam.gserviceaccount.com';

/** The environment that accepts these tokens. */
export const schedulerEnv = { SCHEDULER_AUDIENCE: audience, SCHEDULER_SERVICE_ACCOUNT: email };

/** A token as Google signs it. `claims` replace the usual ones. */
export async function schedulerToken(stack: Stack, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ aud: audience, email, email_verified: true, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'test' })
    .setIssuer('https://accounts.google.com')
    .setSubject('107517467455664443765')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(stack.keys.privateKey);
}

/** Calls a scheduled function, as the emulators' superuser unless a token is given. */
export function runJob(
  stack: Stack,
  name: string,
  { url, token = 'owner' }: { url?: string; token?: string } = {},
) {
  const headers = { authorization: `Bearer ${token}` };
  return stack.fetch(name, { method: 'POST', headers }, url);
}

/** The callers that a scheduled function must refuse, each with the expected status. */
export async function createRefusedCallers(
  stack: Stack,
): Promise<[who: string, token: string, status: number][]> {
  const [user, admin] = await Promise.all([
    stack.tokenFor('a-user'),
    stack.tokenFor('an-admin', { admin: true }),
  ]);
  const [otherAudience, otherAccount, unverified] = await Promise.all([
    schedulerToken(stack, { aud: 'https://elsewhere.example.com' }),
    schedulerToken(stack, { email: 'intruder@demo.iam.gserviceaccount.com' }),
    schedulerToken(stack, { email_verified: false }),
  ]);
  const unsigned = `${otherAudience.split('.').slice(0, 2).join('.')}.`;
  return [
    ['a caller without a token', '', 401],
    ['a user', user, 401],
    ['an admin', admin, 401],
    ['a token for another audience', otherAudience, 401],
    ['a token without its signature', unsigned, 401],
    ["another service account's token", otherAccount, 403],
    ['a token with an unverified e-mail address', unverified, 403],
  ];
}
