/** Requests as text, and the checks that every answer of the server must pass. */
import { expect } from 'vitest';
import type { RawAnswer } from '../../support/rawServer.ts';

/** Lines of a request up to and including the blank line after the headers. */
export const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`;
export const signedIn = 'Authorization: Bearer ann';
export const json = 'Content-Type: application/json';

/** Expects an error in the contract's model, with the headers of every answer. */
export function expectRefusal(answer: RawAnswer | undefined, code: number, reason: string): void {
  expect([answer?.status, answer?.body.error?.code]).toEqual([code, code]);
  expect(answer?.body.error.details[0]).toMatchObject({ reason, domain: 'nano-banana-studio' });
  expectGuarded(answer as RawAnswer);
}

/** Expects the security headers, and none that name the software. */
export function expectGuarded({ headers }: Pick<RawAnswer, 'headers'>): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    // A page adds what it needs.
    'content-security-policy': expect.stringMatching(/^default-src 'none'; (.*; )?frame-ancestors 'none'$/),
    'cross-origin-resource-policy': 'same-site',
    'referrer-policy': 'no-referrer',
    'strict-transport-security': expect.stringMatching(/^max-age=\d{8}/),
    'x-content-type-options': 'nosniff',
    vary: 'Origin',
  });
  expect(headers).not.toHaveProperty('server');
  expect(headers).not.toHaveProperty('x-powered-by');
}
