/** What every error reply must be, and what a refused call must leave as it is. */
import { expect } from 'vitest';
import { getDetail, getViolatedFields, type Reply } from './replies.ts';
import type { Stack } from './stack.ts';
import type { User } from './users.ts';

/** The functions by their method, without the event function `accountWritten`. */
export const getFunctions = [
  'health',
  'account',
  'ledger',
  'generation',
  'gallery',
  'exportAccount',
  'reports',
  'audit',
];
export const postFunctions = [
  'generate',
  'enhance',
  'deleteGeneration',
  'favourite',
  'share',
  'report',
  'takedown',
  'resolveReport',
  'acceptTerms',
  'closeAccount',
  'suspend',
  'grant',
  'checkQuota',
  'refillAllowances',
  'sweepHolds',
  'reconcile',
  'checkout',
  'confirmCheckout',
  'billingPortal',
  'reconcilePayments',
];

/** @param status a google.rpc.Code; @param retry the advice in the metadata. */
export function expectError(reply: Reply, code: number, status: string, reason: string, retry: string): void {
  const { error } = reply.body;
  expect({ http: reply.status, ...error }).toMatchObject({ http: code, code, status });
  expect(error.message).toMatch(/\S/);
  expect(error.details[0]).toMatchObject({
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'nano-banana-studio',
  });
  expect(error.details[0].metadata.retry).toBe(retry);
  for (const value of Object.values(error.details[0].metadata)) expect(value).toBeTypeOf('string');
  expect(reply.headers.get('content-type')).toBe('application/json; charset=utf-8');
}

export function expectBadRequest(reply: Reply, fields: string[]): void {
  expectError(reply, 400, 'INVALID_ARGUMENT', 'INVALID_REQUEST', 'no');
  expect(getViolatedFields(reply)).toEqual(fields);
  for (const { description } of getDetail(reply, 'BadRequest').fieldViolations)
    expect(description).not.toBe('');
}

/** A new user's account is as the console made it: 10 credits, no entry, no generation, no ledger fields. */
export async function expectUntouched(stack: Stack, { uid }: User): Promise<void> {
  expect(await stack.ledger(uid)).toEqual({ account: { balance: 10 }, entries: [], generations: [] });
}
