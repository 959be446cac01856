/** Which tokens are accepted as the scheduler's. */
import { UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createAuth } from '../../../shared/auth/auth.ts';
import { parseConfig } from '../../../shared/config/config.ts';
import {
  audience,
  auth,
  bearer,
  environment,
  idToken,
  keySets,
  type MakeToken,
  now,
  oidcToken,
  outcome,
  remoteAddress,
  serviceAccount,
  silentLog,
  stranger,
} from './tokens.ts';

describe('a scheduler', () => {
  it('has a token signed by Google for this audience and this service account', async () => {
    expect(await outcome(auth.scheduler(bearer(await oidcToken())))).toBe('accepted');
    const shortIssuer = await oidcToken({ iss: 'accounts.google.com' });
    expect(await outcome(auth.scheduler(bearer(shortIssuer)))).toBe('accepted');
  });

  it.each<[string, MakeToken, string]>([
    ['another audience', () => oidcToken({ aud: 'https://evil.example.com' }), 'UNAUTHENTICATED'],
    [
      'an audience that only starts with it',
      () => oidcToken({ aud: `${audience}.evil.example.com` }),
      'UNAUTHENTICATED',
    ],
    ['no audience', () => oidcToken({ aud: undefined }), 'UNAUTHENTICATED'],
    ['another issuer', () => oidcToken({ iss: 'https://accounts.example.com' }), 'UNAUTHENTICATED'],
    ['no issuer', () => oidcToken({ iss: undefined }), 'UNAUTHENTICATED'],
    ['an expiry a second ago', () => oidcToken({ exp: now() - 1 }), 'UNAUTHENTICATED'],
    ['no expiry', () => oidcToken({ exp: undefined }), 'UNAUTHENTICATED'],
    ['no iat', () => oidcToken({ iat: undefined }), 'UNAUTHENTICATED'],
    ['nbf in the future', () => oidcToken({ nbf: now() + 60 }), 'UNAUTHENTICATED'],
    ['a stranger’s key', () => oidcToken({}, {}, stranger), 'UNAUTHENTICATED'],
    ['an unknown kid', () => oidcToken({}, { kid: 'google-2' }), 'UNAUTHENTICATED'],
    [
      'its signature removed, as Cloud Run does behind IAM',
      async () => (await oidcToken()).replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE'),
      'UNAUTHENTICATED',
    ],
    ['its signature empty', async () => (await oidcToken()).replace(/[^.]*$/, ''), 'UNAUTHENTICATED'],
    [
      'no signature and alg none',
      async () =>
        new UnsecuredJWT({ email: serviceAccount, email_verified: true })
          .setIssuer('https://accounts.google.com')
          .setAudience(audience)
          .setIssuedAt()
          .setExpirationTime('1h')
          .encode(),
      'UNAUTHENTICATED',
    ],
    ['an ID token of Firebase', () => idToken({ admin: true }), 'UNAUTHENTICATED'],
    [
      'an ID token of Firebase with these claims',
      () => idToken({ aud: audience, email: serviceAccount }),
      'UNAUTHENTICATED',
    ],
    [
      'another service account',
      () => oidcToken({ email: 'other@nano-studio.iam.gserviceaccount.com' }),
      'FORBIDDEN',
    ],
    ['no e-mail', () => oidcToken({ email: undefined }), 'FORBIDDEN'],
    ['an e-mail in upper case', () => oidcToken({ email: serviceAccount.toUpperCase() }), 'FORBIDDEN'],
    ['an unverified e-mail', () => oidcToken({ email_verified: false }), 'FORBIDDEN'],
    ['no word about the verification', () => oidcToken({ email_verified: undefined }), 'FORBIDDEN'],
    ['a verification given as text', () => oidcToken({ email_verified: 'true' }), 'FORBIDDEN'],
  ])('is refused with %s', async (_, make, reason) => {
    expect(await outcome(auth.scheduler(bearer(await make())))).toBe(reason);
  });

  it.each(['SCHEDULER_AUDIENCE', 'SCHEDULER_SERVICE_ACCOUNT'])('is refused without %s', async (name) => {
    const open = createAuth(parseConfig({ ...environment, [name]: '' }), silentLog, keySets);
    expect(await outcome(open.scheduler(bearer(await oidcToken())))).toBe('FORBIDDEN');
    const sneaky = await oidcToken({ email: undefined, aud: undefined });
    expect(await outcome(open.scheduler(bearer(sneaky)))).toBe('FORBIDDEN');
    expect(await outcome(open.scheduler({ authorization: undefined, remoteAddress }))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is neither a user nor an admin', async () => {
    const token = bearer(await oidcToken({ admin: true }));
    expect(await outcome(auth.user(token))).toBe('UNAUTHENTICATED');
    expect(await outcome(auth.admin(token))).toBe('UNAUTHENTICATED');
  });
});
