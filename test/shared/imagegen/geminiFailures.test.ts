/** What each error of Gemini's API means for its model. Each row is a form that was seen or is documented. */
import { describe, expect, it } from 'vitest';
import { geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { DeadlinePassed } from '../../../shared/core/deadline.ts';
import type { ProviderFailure } from '../../../shared/errors.ts';
import { parseDurationMs } from '../../../shared/imagegen/duration.ts';
import { toProviderFailure } from '../../../shared/imagegen/geminiFailures.ts';

const id = 'gemini-2.5-flash-image';

type Reply = { status: number; body: string | object; headers?: Record<string, string> };
const fail = ({ status, body }: Reply, retryAfter?: string) =>
  toProviderFailure(
    new Error('as the SDK throws it'),
    {
      status,
      retryAfter: retryAfter ?? null,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    },
    id,
  );
const meaning = (reply: object) => fail(reply as Reply).details.providerFailure;

const ordinary = 'You exceeded your current quota, please check your plan and billing details.';
const exhausted = 'Resource has been exhausted (e.g. check quota).';
const depleted = 'Your prepayment credits are depleted. Please go to AI Studio to manage your billing.';
const capped = 'Your project has exceeded its monthly spending cap. Please go to AI Studio.';
const noQuota = 'Quota exceeded for metric: generate_content_free_tier_requests, limit: 0, model: any';
const minute: ProviderFailure = { kind: 'minute' };
const billing: ProviderFailure = { kind: 'billing' };

describe('a 429 is', () => {
  it.each<[string, object, ProviderFailure]>([
    ['a limit per minute: the ordinary sentence alone', geminiFault.quotaMessage(ordinary), minute],
    [
      'a limit per minute: the ordinary sentence with details',
      geminiFault.quotaMessage(ordinary, true),
      minute,
    ],
    [
      'a limit per minute: the ordinary sentence with a quota per minute',
      geminiFault.perMinute(20),
      { kind: 'minute', retryAfterMs: 20_000 },
    ],
    ['a daily quota: the ordinary sentence with a quota per day', geminiFault.perDay(), { kind: 'day' }],
    ['a limit per minute: an exhausted resource', geminiFault.quotaMessage(exhausted), minute],
    [
      'a limit per minute: an exhausted resource with details',
      geminiFault.quotaMessage(exhausted, true),
      minute,
    ],
    ['a lack of money: a limit of 0', geminiFault.limitZero(), billing],
    ['a lack of money: a limit of 0 without details', geminiFault.quotaMessage(noQuota), billing],
    ['a limit per minute: a limit of 0.5', geminiFault.quotaMessage('Quota exceeded, limit: 0.5'), minute],
    ['a limit per minute: a limit of 05', geminiFault.quotaMessage('Quota exceeded, limit: 05'), minute],
    ['a lack of money: depleted credits', geminiFault.prepaymentDepleted(), billing],
    ['a lack of money: depleted credits with details', geminiFault.quotaMessage(depleted, true), billing],
    ['a cap of the project', geminiFault.quotaMessage(capped), { ...billing, isWholeProject: true }],
    [
      'a cap of the project with details',
      geminiFault.spendingCap(true),
      { ...billing, isWholeProject: true },
    ],
    ['a limit per minute: a page of a proxy', geminiFault.html(429), minute],
    ['a limit per minute: no body', { status: 429, body: '' }, minute],
    [
      'a limit per minute: details of another shape',
      { status: 429, body: { error: { status: 'RESOURCE_EXHAUSTED', message: ordinary, details: 'none' } } },
      minute,
    ],
    [
      'a daily quota: a quota per day in a list',
      { status: 429, body: [geminiFault.perDay().body] },
      { kind: 'day' },
    ],
  ])('%s', (_, reply, expected) => {
    expect(meaning(reply)).toEqual(expected);
    expect(fail(reply as Reply).reason).toBe('PROVIDER_QUOTA');
  });
});

describe('a wait is read from', () => {
  it.each<[string, number | undefined]>([
    ['45.7s', 45_700],
    ['0.85s', 850],
    ['850ms', 850],
    ['850.5ms', 851],
    ['5h59m10s', 21_550_000],
    ['5h59m10.25s', 21_550_250],
    ['1m', 60_000],
    ['24h', 86_400_000],
    // A wait is believed for a day at most.
    ['9999999999h', 86_400_000],
    ['0s', undefined],
    ['-5s', undefined],
    ['soon', undefined],
    ['5 bananas', undefined],
    ['', undefined],
    ['12', undefined],
  ])('RetryInfo of %j', (retryDelay, milliseconds) => {
    const failure = meaning(geminiFault.retryIn(retryDelay));
    expect(failure).toEqual({
      kind: 'minute',
      ...(milliseconds !== undefined && { retryAfterMs: milliseconds }),
    });
  });

  it('the seconds and nanoseconds of a duration', () => {
    expect(parseDurationMs({ seconds: '45', nanos: 700_000_000 })).toBe(45_700);
    expect(parseDurationMs({ nanos: 850_000_000 })).toBe(850);
    for (const value of [{ seconds: 'many' }, null, 7, true]) expect(parseDurationMs(value)).toBeUndefined();
  });

  it('the header or RetryInfo, whichever is longer', () => {
    const reply = geminiFault.retryIn('850ms') as Reply;
    expect(fail(reply, '9').details.providerFailure?.retryAfterMs).toBe(9_000);
    expect(fail(reply, '0').details.providerFailure?.retryAfterMs).toBe(850);
  });
});

describe('a 404 means', () => {
  it.each<[string, object, ProviderFailure['kind'], string]>([
    ['that the model is gone: not found', geminiFault.notFound(id), 'retired', 'PROVIDER_MISCONFIGURED'],
    [
      'that the model is gone: no longer available',
      geminiFault.noLongerAvailable(id),
      'retired',
      'PROVIDER_MISCONFIGURED',
    ],
    ['nothing for the model: a page', geminiFault.html(404), 'passing', 'PROVIDER_ERROR'],
    ['nothing for the model: plain text', geminiFault.plainNotFound(), 'passing', 'PROVIDER_ERROR'],
    ['nothing for the model: no body', { status: 404, body: '' }, 'passing', 'PROVIDER_ERROR'],
    [
      'nothing for the model: JSON of a gateway',
      { status: 404, body: { error: { message: `no route to ${id}` } } },
      'passing',
      'PROVIDER_ERROR',
    ],
    [
      'nothing for the model: another name',
      geminiFault.notFound('gemini-nano-banana-2.1'),
      'passing',
      'PROVIDER_ERROR',
    ],
  ])('%s', (_, reply, kind, reason) => {
    expect(meaning(reply)).toEqual({ kind });
    expect(fail(reply as Reply).reason).toBe(reason);
  });
});

it.each([
  ['Unable to process input image. Please retry or report in https://developers.generativeai.google'],
  ['Provided image is not valid.'],
])('a 400 is about a reference image: %s', (message) => {
  const failure = fail({ status: 400, body: { error: { status: 'INVALID_ARGUMENT', message } } });
  expect(failure.reason).toBe('REFERENCE_UNREADABLE');
  expect(failure.details.providerFailure).toBeUndefined();
});

describe('another model is worth a call after', () => {
  const badRequest = { error: { status: 'INVALID_ARGUMENT', message: 'image_size must be one of' } };
  it.each<[string, object, ProviderFailure['kind'] | undefined]>([
    ['400 of one model', { status: 400, body: badRequest }, 'refused'],
    ['413 of a proxy: the same request is too large again', geminiFault.html(413), 'refused'],
    ['403 of one model', geminiFault.modelForbidden(), 'refused'],
    ['403 of a leaked key: it may be of one model', geminiFault.forbidden(), 'refused'],
    ['no invalid key', geminiFault.badKey(), undefined],
    ['no unsupported region', geminiFault.badRegion(), undefined],
    ['no missing credentials', { status: 401, body: '' }, undefined],
  ])('%s', (_, reply, kind) => expect(meaning(reply)?.kind).toBe(kind));

  it('silence, which may be billed', () => {
    const failure = toProviderFailure(new DeadlinePassed('Gemini took more than 5 ms'), {}, id);
    expect(failure).toMatchObject({
      reason: 'PROVIDER_TIMEOUT',
      details: { providerFailure: { kind: 'silent', mayBeBilled: true } },
    });
  });
});

describe('the log tells apart, with what to do', () => {
  const reply = (status: number, code: string, message: string, details: object[] = []) => ({
    status,
    body: { error: { code: status, status: code, message, details } },
  });
  const info = (reason: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason });
  const badKey = 'API key not valid. Please pass a valid API key.';
  const noBilling = 'This API method requires billing to be enabled. Please enable billing on project 1.';
  const unused = 'Generative Language API has not been used in project 1 before or it is disabled.';

  it.each<[string, object, code: string]>([
    ['an unsupported region', geminiFault.badRegion(), 'region_not_supported'],
    ['a bad key', geminiFault.badKey(), 'api_key_invalid'],
    ['a bad key without details', reply(400, 'INVALID_ARGUMENT', badKey), 'api_key_invalid'],
    ['a leaked key', geminiFault.forbidden(), 'api_key_leaked'],
    [
      'a key for other APIs',
      reply(403, 'PERMISSION_DENIED', 'Requests to this API are blocked.', [info('API_KEY_SERVICE_BLOCKED')]),
      'api_key_restricted',
    ],
    ['an API that is not enabled', reply(403, 'PERMISSION_DENIED', unused), 'api_disabled'],
    ['a project without billing', reply(403, 'PERMISSION_DENIED', noBilling), 'billing_disabled'],
    [
      'a project without billing, where nothing is free',
      reply(
        400,
        'FAILED_PRECONDITION',
        'The free tier is not available. Please enable billing on your project.',
      ),
      'billing_disabled',
    ],
    [
      'a suspended project',
      reply(403, 'PERMISSION_DENIED', 'Consumer has been suspended.', [info('CONSUMER_SUSPENDED')]),
      'project_suspended',
    ],
    ['a model without quota', geminiFault.limitZero(), 'no_quota'],
    ['credits that are used up', geminiFault.prepaymentDepleted(), 'credits_used_up'],
    ['a spending cap', geminiFault.spendingCap(true), 'spending_cap'],
  ])('%s', (_, faulty, code) => {
    const { cause } = fail(faulty as Reply).details;
    expect((cause as Error).message).toMatch(
      new RegExp(`^Gemini answered \\d{3} [A-Z_ ]+${code} \\([^()]+\\)$`),
    );
  });

  it.each([400, 401, 403])('our set-up from what a model refuses: %i', (status) => {
    const misconfigured = fail(reply(status, 'INVALID_ARGUMENT', badKey));
    expect(misconfigured.reason).toBe('PROVIDER_MISCONFIGURED');
  });

  it('nothing that Google quotes', () => {
    const base64 = Buffer.alloc(60, 7).toString('base64');
    const quoting = reply(400, base64, `Invalid value: ${base64}`, [info(base64)]);
    expect(fail(quoting).details.cause).toMatchObject({ message: 'Gemini answered 400' });
  });

  it('no fault of ours in an ordinary quota', () => {
    expect(fail(geminiFault.perDay() as Reply).details.cause).toMatchObject({
      message: expect.stringMatching(/^Gemini answered 429 RESOURCE_EXHAUSTED$/),
    });
  });
});
