/** A request that does not parse is a 400 that names each field at fault, and charges nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { expectBadRequest, expectUntouched } from '../support/errorReplies.ts';
import { onePixelPng } from '../support/pictures.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { User } from '../support/users.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
  stack.gemini.always(geminiFault.blank());
});
afterAll(() => stack.close());

describe('names each invalid field and charges nothing', () => {
  let user: User;
  beforeAll(async () => {
    user = await stack.newUser();
  });
  const raw = (body: BodyInit, headers: Record<string, string> = {}, path = 'generate') =>
    stack.fetch(path, {
      method: 'POST',
      body,
      headers: {
        authorization: `Bearer ${user.token}`,
        'idempotency-key': 'key',
        'content-type': 'application/json',
        ...headers,
      },
    });
  const valid = { prompt: 'A banana', tier: 'standard' };

  it.each<[string, Record<string, unknown>, string[]]>([
    ['no prompt', { prompt: undefined }, ['prompt']],
    ['a prompt that is a number', { prompt: 7 }, ['prompt']],
    ['a prompt that is null', { prompt: null }, ['prompt']],
    ['a prompt that is a list', { prompt: ['A banana'] }, ['prompt']],
    ['a prompt that is an object', { prompt: { text: 'A banana' } }, ['prompt']],
    ['a prompt that is a boolean', { prompt: true }, ['prompt']],
    ['an empty prompt', { prompt: '' }, ['prompt']],
    ['only white space', { prompt: ' \n\t\u00a0' }, ['prompt']],
    ['a prompt of 4001 characters', { prompt: 'x'.repeat(4001) }, ['prompt']],
    ['a prompt of 4001 emoji', { prompt: '🍌'.repeat(4001) }, ['prompt']],
    ['a NUL in the prompt', { prompt: 'A\u0000banana' }, ['prompt']],
    ['an escape in the prompt', { prompt: 'A\u001b[31mbanana' }, ['prompt']],
    ['a DEL in the prompt', { prompt: 'A\u007fbanana' }, ['prompt']],
    ['a C1 control in the prompt', { prompt: 'A\u0086banana' }, ['prompt']],
    ['a high surrogate alone', { prompt: 'A \ud83c banana' }, ['prompt']],
    ['a low surrogate alone', { prompt: 'A \udf4c banana' }, ['prompt']],
    ['no tier', { tier: undefined }, ['tier']],
    ['an unknown tier', { tier: 'gold' }, ['tier']],
    ['a tier in capitals', { tier: 'STANDARD' }, ['tier']],
    ['a tier named like a method of every object', { tier: 'toString' }, ['tier']],
    ['an unknown orientation', { orientation: 'square' }, ['orientation']],
    ['an unknown field', { model: 'another' }, ['model']],
    ['enhance as text', { enhance: 'true' }, ['enhance']],
    ['enhance as a number', { enhance: 1 }, ['enhance']],
    ['enhance as null', { enhance: null }, ['enhance']],
    ['fresh as text', { fresh: 'yes' }, ['fresh']],
    ['fresh as null', { fresh: null }, ['fresh']],
    ['references that are not a list', { references: { generationId: 'a'.repeat(32) } }, ['references']],
    ['references as null', { references: null }, ['references']],
    [
      'fifteen references',
      { references: Array.from({ length: 15 }, () => ({ generationId: 'a'.repeat(32) })) },
      ['references'],
    ],
    ['a reference that is text', { references: ['a'.repeat(32)] }, ['references.0']],
    ['an empty reference', { references: [{}] }, ['references.0']],
    ['a reference by a URL', { references: [{ url: 'https://example.com/a.png' }] }, ['references.0']],
    [
      'a URL beside an id',
      { references: [{ generationId: 'a'.repeat(32), url: 'https://example.com/a.png' }] },
      ['references.0.url'],
    ],
    ['a reference to a path', { references: [{ generationId: '../../x' }] }, ['references.0.generationId']],
    [
      'a reference without a MIME type',
      { references: [{ data: onePixelPng.toString('base64') }] },
      ['references.0'],
    ],
    [
      'a reference with an unsupported MIME type',
      { references: [{ mimeType: 'image/svg+xml', data: onePixelPng.toString('base64') }] },
      ['references.0'],
    ],
    [
      'a reference that is not base64',
      { references: [{ mimeType: 'image/png', data: 'not base64' }] },
      ['references.0.data'],
    ],
    [
      'a reference without data',
      { references: [{ mimeType: 'image/png', data: '' }] },
      ['references.0.data'],
    ],
    [
      'a second reference that is not an image',
      {
        references: [
          { mimeType: 'image/png', data: onePixelPng.toString('base64') },
          { mimeType: 'image/png', data: Buffer.from('a banana').toString('base64') },
        ],
      },
      ['references.1.data'],
    ],
    ['__proto__', JSON.parse('{"__proto__": {"tier": "standard"}}'), ['__proto__']],
    ['constructor', { constructor: 1 }, ['constructor']],
    [
      'several invalid fields at once',
      { prompt: '', tier: 1, orientation: 0, a: 1, b: 2 },
      ['prompt', 'tier', 'orientation', 'a', 'b'],
    ],
  ])('%s', async (_, body, fields) => expectBadRequest(await user.generate('key', body), fields));

  it.each<[string, BodyInit, string[]]>([
    ['empty', '', ['prompt', 'tier']],
    ['cut off in the middle', '{"prompt":"A ban', ['body']],
    ['two values', '{}{}', ['body']],
    ['invalid UTF-8', Buffer.from('7b22ff223a317d', 'hex'), ['body']],
    ['a list', '[]', ['body']],
    ['null', 'null', ['body']],
    ['a string', '"A banana"', ['body']],
    ['a number', '1', ['body']],
  ])('a body: %s', async (_, body, fields) => expectBadRequest(await raw(body), fields));

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'text/plain; application/json',
    '',
  ])('content type "%s"', async (type) =>
    expectBadRequest(await raw(JSON.stringify(valid), { 'content-type': type }), ['Content-Type']),
  );

  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['of 256 characters', 'k'.repeat(256)],
    ['not ASCII', 'clé'],
    ['with a tab', 'a\tb'],
  ])('an Idempotency-Key that is %s', async (_, key) => {
    expectBadRequest(await user.generate(key), ['Idempotency-Key']);
  });

  it('a missing Idempotency-Key, also together with an invalid body', async () => {
    expectBadRequest(await user.post('generate', valid), ['Idempotency-Key']);
    expectBadRequest(await user.post('generate', { ...valid, tier: 0 }), ['Idempotency-Key', 'tier']);
  });

  it.each<[string, unknown, string[]]>([
    ['missing', {}, ['id']],
    ['a number', { id: 7 }, ['id']],
    ['too short', { id: 'abc' }, ['id']],
    ['in capitals', { id: 'A'.repeat(32) }, ['id']],
    ['a path', { id: '../../accounts/somebody/generations' }, ['id']],
    ['with a line feed', { id: `${'a'.repeat(32)}\n` }, ['id']],
    ['beside an unknown field', { id: 'a'.repeat(32), force: true }, ['force']],
  ])('the id of deleteGeneration: %s', async (_, body, fields) => {
    expectBadRequest(await user.post('deleteGeneration', body), fields);
  });

  it.each<[string, unknown, string[]]>([
    ['missing', {}, ['prompt']],
    ['empty', { prompt: '' }, ['prompt']],
    ['of 4001 characters', { prompt: 'x'.repeat(4001) }, ['prompt']],
    ['beside an unknown field', { prompt: 'A banana', tier: 'standard' }, ['tier']],
  ])('the prompt of enhance: %s', async (_, body, fields) => {
    expectBadRequest(await user.post('enhance', body), fields);
  });

  const token = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const invalidQueries: [string, string[]][] = [
    ['generation', ['id']],
    ['generation?id=', ['id']],
    ['generation?id=abc', ['id']],
    [`generation?id=${'a'.repeat(32)}&key=k`, ['id']],
    [`generation?key=${'k'.repeat(256)}`, ['key']],
    ['generation?key=cl%C3%A9', ['key']],
    [`generation?id=${'a'.repeat(32)}&id=${'b'.repeat(32)}`, ['id']],
    ...['ledger', 'gallery'].flatMap((list): [string, string[]][] => [
      ...['', '0', '-1', '101', '1.5', 'ten', 'NaN', 'Infinity', '1e9'].map((size): [string, string[]] => [
        `${list}?pageSize=${size}`,
        ['pageSize'],
      ]),
      ...['', '%00', 'garbage', token({}), token([]), token([null]), 'x'.repeat(2000)].map(
        (value): [string, string[]] => [`${list}?pageToken=${value}`, ['pageToken']],
      ),
      [`${list}?pageSize=1&pageSize=2`, ['pageSize']],
      [`${list}?page=2`, ['page']],
      [`${list}?__proto__=2`, ['__proto__']],
      [`${list}?pageSize=0&pageToken=&more=1`, ['pageSize', 'pageToken', 'more']],
    ]),
    [`gallery?pageToken=${token([1])}`, ['pageToken']],
    [`ledger?pageToken=${token(['2026-01-01T00:00:00Z', 'a'.repeat(32)])}`, ['pageToken']],
    [`ledger?pageToken=${token([1.5])}`, ['pageToken']],
    [`gallery?pageToken=${token(['yesterday', 'a'.repeat(32)])}`, ['pageToken']],
    [`gallery?pageToken=${token(['2026-01-01T00:00:00Z', '../x'])}`, ['pageToken']],
    [`gallery?pageToken=${token(['2026-01-01T00:00:00Z', '__x__'])}`, ['pageToken']],
    [`gallery?pageToken=${token(['0000-01-01T00:00:00Z', 'a'.repeat(32)])}`, ['pageToken']],
    ['account?uid=somebody', ['uid']],
  ];
  it.each(
    invalidQueries.map(([path, fields]): [string, string, string[]] => [path.slice(0, 60), path, fields]),
  )('GET %s', async (_, path, fields) => expectBadRequest(await user.get(path), fields));

  it('leaves the account as it was', () => expectUntouched(stack, user));

  it('more references than the model accepts, after the look-up of the key: another model may accept them', async () => {
    const references = Array.from({ length: 4 }, () => ({ generationId: 'a'.repeat(32) }));
    const another = await stack.newUser();
    expectBadRequest(await another.generate('key', { references }), ['references']);
    const { entries, generations } = await stack.ledger(another.uid);
    expect([entries.map(({ type }) => type), generations]).toEqual([['adjustment'], []]);
  });
});

describe('accepts what is just within the limits', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['4000 characters', 'key', { prompt: 'x'.repeat(4000) }],
    ['4000 emoji, each one character', 'key', { prompt: '🍌'.repeat(4000) }],
    ['lines and tabs', 'key', { prompt: 'A\tbanana\r\non the moon' }],
    ['line breaks of word processors', 'key', { prompt: 'A\vbanana\fon\u0085the\u2028moon\u2029' }],
    ['an Idempotency-Key of 255 characters', 'k'.repeat(255), {}],
    [
      'an Idempotency-Key of every printable ASCII character',
      String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i)),
      {},
    ],
  ])('%s', async (_, key, body) => {
    expect((await (await stack.newUser()).generate(key, body)).status).toBe(200);
  });

  it('application/json with a charset, in any letter case', async () => {
    const { token } = await stack.newUser();
    const headers = {
      authorization: `Bearer ${token}`,
      'idempotency-key': 'key',
      'content-type': 'Application/JSON ; charset=utf-8',
    };
    const body = JSON.stringify({ prompt: 'A banana', tier: 'standard' });
    expect((await stack.fetch('generate', { method: 'POST', body, headers })).status).toBe(200);
  });
});
