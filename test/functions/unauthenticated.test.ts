/** Who may not call: no valid token is a 401, a user without the role a 403. Neither charges anything. */

import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { expectError, expectUntouched, getFunctions, postFunctions } from '../support/errorReplies.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

describe('answers 401 and charges nothing', () => {
  const victim = 'victim';
  const seconds = () => Math.floor(Date.now() / 1000);
  type Forgery = { issuer?: string; audience?: string; subject?: string; exp?: number; claims?: object };

  function forge({ issuer, audience, subject = victim, exp, claims }: Forgery) {
    return new SignJWT({ auth_time: seconds(), firebase: { sign_in_provider: 'password' }, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'test' })
      .setSubject(subject)
      .setIssuer(issuer ?? `https://securetoken.google.com/${stack.projectId}`)
      .setAudience(audience ?? stack.projectId)
      .setIssuedAt()
      .setExpirationTime(exp ?? seconds() + 3600)
      .sign(stack.keys.privateKey);
  }
  const toBearer = async (token: Promise<string>) => `Bearer ${await token}`;
  const splitToken = async () => (await forge({})).split('.') as [string, string, string];

  const forgeries: [string, () => Promise<string | undefined>][] = [
    ['no Authorization header', async () => undefined],
    ['an empty Authorization header', async () => ''],
    ['garbage', async () => 'garbage'],
    ['Bearer without a token', async () => 'Bearer '],
    ['a malformed token', async () => 'Bearer a.b.c'],
    ['Basic authentication', async () => `Basic ${Buffer.from('victim:password').toString('base64')}`],
    ['the superuser token of the emulators', async () => 'Bearer owner'],
    ['a token without Bearer', () => forge({})],
    ['two tokens', async () => `Bearer ${await forge({})} ${await forge({})}`],
    [
      'a signature by another key',
      async () => {
        const { privateKey } = await generateKeyPair('RS256');
        const token = new SignJWT({ auth_time: seconds() })
          .setProtectedHeader({ alg: 'RS256', kid: 'test' })
          .setSubject(victim)
          .setIssuer(`https://securetoken.google.com/${stack.projectId}`)
          .setAudience(stack.projectId)
          .setIssuedAt()
          .setExpirationTime('1h');
        return toBearer(token.sign(privateKey));
      },
    ],
    [
      'changed claims',
      async () => {
        const [header, payload, signature] = await splitToken();
        const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), admin: true };
        return `Bearer ${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
      },
    ],
    [
      'a token without its signature',
      async () => {
        const [header, payload] = await splitToken();
        return `Bearer ${header}.${payload}.`;
      },
    ],
    [
      'alg none',
      async () => {
        const token = new UnsecuredJWT({ auth_time: seconds() })
          .setSubject(victim)
          .setIssuer(`https://securetoken.google.com/${stack.projectId}`)
          .setAudience(stack.projectId)
          .setIssuedAt()
          .setExpirationTime('1h');
        return `Bearer ${token.encode()}`;
      },
    ],
    ['an expired token', () => toBearer(forge({ exp: seconds() - 1 }))],
    ['the token of another project', () => toBearer(forge({ audience: 'another' }))],
    ['another issuer', () => toBearer(forge({ issuer: 'https://securetoken.google.com/another' }))],
    [
      'the issuer of service account tokens',
      () => toBearer(forge({ issuer: 'https://accounts.google.com' })),
    ],
    ['no subject', () => toBearer(forge({ subject: '' }))],
    ['a subject of 129 characters', () => toBearer(forge({ subject: 'v'.repeat(129) }))],
    ['a subject that is a path', () => toBearer(forge({ subject: 'victim/entries/x' }))],
    ['a sign-in in the future', () => toBearer(forge({ claims: { auth_time: seconds() + 600 } }))],
    ['no time of sign-in', () => toBearer(forge({ claims: { auth_time: undefined } }))],
  ];

  it.each(forgeries)('%s', async (_, forged) => {
    const authorization = await forged();
    const reply = await stack.fetch('generate', {
      method: 'POST',
      body: JSON.stringify({ prompt: 'A banana', tier: 'standard' }),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'key',
        ...(authorization !== undefined && { authorization }),
      },
    });
    expectError(reply, 401, 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'no');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(reply.body).not.toHaveProperty('receipt');
  });

  it('accepts a valid token of the same user, so each refusal above is due to the forgery', async () => {
    const user = await stack.user(victim, 10);
    await expectUntouched(stack, user);
    const headers = { authorization: `Bearer ${await forge({})}` };
    expect((await stack.fetch('account', { headers })).body.account.balance).toBe(10);
  });

  it.each([...getFunctions.filter((name) => name !== 'health'), ...postFunctions])(
    '%s without a token',
    async (name) => {
      const method = postFunctions.includes(name) ? 'POST' : 'GET';
      expectError(await stack.fetch(name, { method }), 401, 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'no');
    },
  );
});

it.each(['grant', 'audit', 'suspend', 'sweepHolds', 'reconcile'])(
  '%s answers 403 to a user who is not an admin',
  async (name) => {
    const user = await stack.newUser();
    const reply = await (postFunctions.includes(name) ? user.post(name, {}) : user.get(name));
    expectError(reply, 403, 'PERMISSION_DENIED', 'FORBIDDEN', 'no');
    await expectUntouched(stack, user);
  },
);
