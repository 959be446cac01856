import { describe, expect, it } from 'vitest';
import { getReasonRow, type Reason, reasons } from '../../shared/errorReasons.ts';
import { errorAnswer, Failure, invalidRequest, restoreFailure, toFailure } from '../../shared/errors.ts';

const reasonNames = Object.keys(reasons) as Reason[];
const infoType = 'type.googleapis.com/google.rpc.ErrorInfo';

describe.each(reasonNames)('%s', (reason) => {
  const row = getReasonRow(reason);

  it('is described completely, in whole sentences', () => {
    for (const text of [row.when, row.tell, row.action, ...fieldTexts()]) {
      expect(text).toMatch(/^["`A-Z].*[."]$/s);
      expect(text).not.toContain('|');
    }
  });

  it('names each field of its metadata once', () => {
    const names = [...Object.keys(row.metadata ?? {}), ...Object.keys(row.optionalMetadata ?? {})];
    expect(names).not.toContain('retry');
    expect(new Set(names).size).toBe(names.length);
  });

  it('is answered with its status, its code and its advice', () => {
    const { code, body } = errorAnswer(restoreFailure({ reason, message: 'For a person.' }));
    expect(code).toBe(row.httpStatus);
    expect(body.error).toMatchObject({ code: row.httpStatus, status: row.status, message: 'For a person.' });
    expect(body.error.details).toEqual([
      { '@type': infoType, reason, domain: 'nano-banana-studio', metadata: { retry: row.retry } },
    ]);
  });

  function fieldTexts(): string[] {
    return Object.values({ ...row.metadata, ...row.optionalMetadata });
  }
});

it('puts nothing internal into the answer', () => {
  const failure = new Failure('CONTENT_BLOCKED', 'No.', {
    metadata: { finishReason: 'SAFETY' },
    cause: new Error('secret cause'),
    headers: { 'X-Extra': 'header' },
    providerFailure: { kind: 'final', mayBeBilled: true },
    providerCostMicros: 39_000,
    attempts: 2,
  });
  const { headers, body } = errorAnswer(failure);
  expect(headers).toEqual({ 'X-Extra': 'header' });
  expect(body).toEqual({
    error: {
      code: 422,
      status: 'FAILED_PRECONDITION',
      message: 'No.',
      details: [
        {
          '@type': infoType,
          reason: 'CONTENT_BLOCKED',
          domain: 'nano-banana-studio',
          metadata: { finishReason: 'SAFETY', retry: 'new_key' },
        },
      ],
    },
  });
});

it('tells the wait in the body and in the header', () => {
  const failure = new Failure('SHUTTING_DOWN', 'Bye.', { retryAfterSeconds: 3 });
  const { headers, body } = errorAnswer(failure);
  expect(headers).toEqual({ 'Retry-After': '3' });
  expect(body.error.details[1]).toEqual({
    '@type': 'type.googleapis.com/google.rpc.RetryInfo',
    retryDelay: '3s',
  });
});

it('describes the first violation in the message and lists all of them', () => {
  const violations = [
    { field: 'tier', description: 'is required' },
    { field: 'prompt', description: 'must be text' },
  ];
  const { body } = errorAnswer(invalidRequest(violations));
  expect(body.error.message).toBe('tier is required.');
  expect(body.error.details[1]).toMatchObject({ fieldViolations: violations });
});

it('keeps reason, message and metadata when details are added', () => {
  const receipt = { charged: 2, refunded: 2, balance: 8, sequence: 3 };
  const first = new Failure('NO_IMAGE', 'No.', { metadata: { finishReason: 'STOP' }, attempts: 1 });
  const second = first.with({ receipt, retry: 'new_key' });
  expect(second).toMatchObject({ reason: 'NO_IMAGE', message: 'No.' });
  expect(second.details).toEqual({ ...first.details, receipt, retry: 'new_key' });
  expect(first.details).not.toHaveProperty('receipt');
});

it('turns any thrown value into a Failure and keeps its cause', () => {
  const failure = new Failure('NOT_FOUND', 'No.');
  expect(toFailure(failure)).toBe(failure);
  const cause = new TypeError('oops');
  expect(toFailure(cause)).toMatchObject({ reason: 'INTERNAL', cause });
});

describe('restoring a stored failure', () => {
  it('keeps reason, message and metadata', () => {
    const stored = { reason: 'CONTENT_BLOCKED', message: 'No.', metadata: { finishReason: 'SAFETY' } };
    const { reason, message, details } = restoreFailure(stored);
    expect({ reason, message, metadata: details.metadata }).toEqual(stored);
  });

  it.each([null, { reason: 'OF_AN_OLD_VERSION', message: 'No.' }, { reason: 'toString', message: 'No.' }])(
    'gives INTERNAL for %j',
    (stored) => {
      expect(restoreFailure(stored)).toMatchObject({
        reason: 'INTERNAL',
        message: 'Something went wrong on our side.',
      });
    },
  );
});
