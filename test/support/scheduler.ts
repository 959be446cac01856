/** Cloud Scheduler as it calls: an OIDC token that Google signed for the configured service account. */
import { SignJWT } from 'jose';
import type { Stack } from './stack.ts';

const audience = 'https://studio.example.com';
const email = 'scheduler@demo.iam.gserviceaccount.com';

/** What a stack's environment needs for such tokens. */
export const schedulerEnv = { SCHEDULER_AUDIENCE: audience, SCHEDULER_SERVICE_ACCOUNT: email };

/** A token as Google would sign it; `claims` go over the usual ones. */
export async function schedulerToken(stack: Stack, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ aud: audience, email, email_verified: true, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'test' })
    .setIssuer('https://accounts.google.com')
    .setSubject('107517467455664443765')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(stack.keys.privateKey);
}

/** Calls a scheduled function; as the local owner where no token is given. */
export function runJob(
  stack: Stack,
  name: string,
  { url, token = 'owner' }: { url?: string; token?: string } = {},
) {
  const headers = { authorization: `Bearer ${token}` };
  return stack.fetch(name, { method: 'POST', headers }, url);
}

/** Who is turned away by a function for the scheduler, and with what. */
export async function refusedCallers(stack: Stack): Promise<[who: string, token: string, status: number][]> {
  const [user, admin] = await Promise.all([
    stack.tokenFor('somebody'),
    stack.tokenFor('an-admin', { admin: true }),
  ]);
  const [otherAudience, otherAccount, unverified] = await Promise.all([
    schedulerToken(stack, { aud: 'https://elsewhere.example.com' }),
    schedulerToken(stack, { email: 'intruder@demo.iam.gserviceaccount.com' }),
    schedulerToken(stack, { email_verified: false }),
  ]);
  const unsigned = `${otherAudience.split('.').slice(0, 2).join('.')}.`;
  return [
    ['nobody', '', 401],
    ['a user', user, 401],
    ['an admin', admin, 401],
    ['a token for another audience', otherAudience, 401],
    ['a token without its signature', unsigned, 401],
    ["another service account's token", otherAccount, 403],
    ['a token whose address is not verified', unverified, 403],
  ];
}
