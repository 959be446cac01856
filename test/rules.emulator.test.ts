/**
 * firestore.rules over REST, with tokens as the Auth emulator makes them. A signed-in user may read their own
 * account document. Everything else is refused to everyone.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, inject, it } from 'vitest';

const project = `demo-rules-${process.pid}`;
const root = `http://${inject('firestoreHost')}/v1/projects/${project}/databases/(default)/documents`;
const superuser = { authorization: 'Bearer owner' };

/** Calls the database as `caller`. Returns the HTTP status and, for an error, its status name. */
async function call(caller: object, method: string, path: string, body?: object) {
  const response = await fetch(`${root}${path}`, {
    method,
    headers: { ...caller, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  // A permitted query answers with a list.
  const error = [answer].flat()[0]?.error;
  return { code: response.status, refused: error?.status as string | undefined, answer };
}

/** The header with an unsigned ID token, as the Auth emulator makes it. The Firestore emulator accepts it. */
function signIn(uid: string, claims: object = {}) {
  const now = Math.floor(Date.now() / 1000);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const payload = {
    iss: `https://securetoken.google.com/${project}`,
    aud: project,
    sub: uid,
    user_id: uid,
    iat: now,
    auth_time: now,
    exp: now + 3600,
    email: `${uid}@example.com`,
    email_verified: true,
    firebase: { sign_in_provider: 'password', identities: {} },
    ...claims,
  };
  return { authorization: `Bearer ${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.` };
}

const callers: [string, object][] = [
  ['nobody', {}],
  ['the owner', signIn('owner')],
  ['another user', signIn('other')],
  ['a user with the claim admin', signIn('boss', { admin: true })],
];

const collections: [string, string, string][] = [
  ['accounts', '/accounts', 'owner'],
  ['entries', '/accounts/owner/entries', 'signup'],
  ['generations', '/accounts/owner/generations', 'g1'],
  ['purchases', '/accounts/owner/purchases', 'cs_test_1'],
  ['enhancements', '/accounts/owner/enhancements', '2026-11-26'],
  ['outbox', '/outbox', 'g1'],
  ['quota', '/quota', 'all'],
  ['cache', '/cache', 'c1'],
  ['jobs', '/jobs', 'sweepHolds'],
  ['spend', '/spend', '2026-11-22'],
  ['grants', '/grants', 'boss:key'],
  ['shares', '/shares', 'abcdefghijklmnopqrstuv'],
  ['reports', '/reports', 'r1'],
  ['takedowns', '/takedowns', 'hash'],
  ['adminActions', '/adminActions', 'takedown:g1'],
  ['closures', '/closures', 'owner'],
  ['erasures', '/erasures', 'closing:owner'],
  ['identities', '/identities', 'hash'],
  ['an unknown collection', '/secrets', 's1'],
  ['an unknown collection below their own account', '/accounts/owner/secrets', 's1'],
  ['a collection named accounts below an account', '/accounts/owner/accounts', 'owner'],
  ['a collection below an entry', '/accounts/owner/entries/signup/notes', 'n1'],
  ['a collection below a generation', '/accounts/owner/generations/g1/owner', 'owner'],
  ['entries of a user without an account', '/accounts/other/entries', 'signup'],
];

const name = (path: string) => `projects/${project}/databases/(default)/documents${path}`;
const accountsWhere = (fieldPath: string, value: object) => ({
  from: [{ collectionId: 'accounts' }],
  where: { fieldFilter: { field: { fieldPath }, op: 'EQUAL', value } },
});
const fields = { fields: { balance: { integerValue: '1000000' } } };
const seeded = { fields: { balance: { integerValue: '5' } } };

beforeAll(async () => {
  for (const [, collection, id] of collections) {
    expect((await call(superuser, 'PATCH', `${collection}/${id}`, seeded)).code).toBe(200);
  }
});

describe('the harness', () => {
  it('distinguishes permitted from refused calls', async () => {
    for (const [, collection, id] of collections) {
      expect((await call(superuser, 'GET', `${collection}/${id}`)).code).toBe(200);
      expect((await call(superuser, 'GET', collection)).answer.documents.length).toBeGreaterThan(0);
    }
    const written = { fields: { by: { stringValue: 'the console' } } };
    expect((await call(superuser, 'PATCH', '/scratch/s', written)).code).toBe(200);
    expect((await call(superuser, 'DELETE', '/scratch/s')).code).toBe(200);
    expect((await call(superuser, 'GET', '/scratch/s')).refused).toBe('NOT_FOUND');
  });
});

describe('a signed-in user', () => {
  it('may read their own account', async () => {
    const { code, answer } = await call(signIn('owner'), 'GET', '/accounts/owner');
    expect(code).toBe(200);
    expect(answer.fields).toEqual(seeded.fields);
  });

  it('gets NOT_FOUND for their own account before it exists', async () => {
    expect((await call(signIn('new'), 'GET', '/accounts/new')).refused).toBe('NOT_FOUND');
  });
});

describe.each(callers)('%s', (caller, token) => {
  const own = caller === 'the owner';

  describe.each(collections)('in %s', (kind, collection, id) => {
    const document = `${collection}/${id}`;
    const attempts: [string, string, string, object?][] = [
      ['list', 'GET', collection],
      ['list one', 'GET', `${collection}?pageSize=1`],
      ['create', 'POST', `${collection}?documentId=made-up`, fields],
      ['create under their own id', 'POST', `${collection}?documentId=other`, fields],
      ['update', 'PATCH', document, fields],
      ['update one field of', 'PATCH', `${document}?updateMask.fieldPaths=balance`, fields],
      ['delete', 'DELETE', document],
    ];
    if (!(own && kind === 'accounts')) attempts.unshift(['get', 'GET', document]);

    it.each(attempts)('may not %s', async (_, method, path, body) => {
      expect(await call(token, method, path, body)).toMatchObject({
        code: 403,
        refused: 'PERMISSION_DENIED',
      });
    });
  });

  it.each<[string, string, object]>([
    ['entries of all accounts', '', { from: [{ collectionId: 'entries', allDescendants: true }] }],
    ['generations of all accounts', '', { from: [{ collectionId: 'generations', allDescendants: true }] }],
    ['their own generations', '/accounts/owner', { from: [{ collectionId: 'generations' }] }],
    ['their own entries', '/accounts/owner', { from: [{ collectionId: 'entries' }] }],
    ['accounts', '', { from: [{ collectionId: 'accounts' }], limit: 1 }],
    [
      'accounts with their own e-mail address',
      '',
      accountsWhere('email', { stringValue: 'owner@example.com' }),
    ],
    [
      'accounts with their own name',
      '',
      accountsWhere('__name__', { referenceValue: name('/accounts/owner') }),
    ],
  ])('may not query %s', async (_, parent, structuredQuery) => {
    expect(await call(token, 'POST', `${parent}:runQuery`, { structuredQuery })).toMatchObject({
      refused: 'PERMISSION_DENIED',
    });
  });

  it('may not count, batch or commit', async () => {
    const aggregation = {
      structuredAggregationQuery: {
        aggregations: [{ alias: 'n', count: {} }],
        structuredQuery: { from: [{ collectionId: 'accounts' }] },
      },
    };
    expect((await call(token, 'POST', ':runAggregationQuery', aggregation)).refused).toBe(
      'PERMISSION_DENIED',
    );
    const both = { documents: [name('/accounts/owner'), name('/accounts/somebody')] };
    expect((await call(token, 'POST', ':batchGet', both)).refused).toBe('PERMISSION_DENIED');
    const writes = { writes: [{ update: { name: name('/accounts/owner'), ...fields } }] };
    expect((await call(token, 'POST', ':commit', writes)).refused).toBe('PERMISSION_DENIED');
  });
});

it('no refused call wrote anything', async () => {
  for (const [, collection, id] of collections) {
    const { answer } = await call(superuser, 'GET', collection);
    expect(answer.documents).toHaveLength(1);
    expect(answer.documents[0].name).toMatch(new RegExp(`/${id}$`));
    expect(answer.documents[0].fields).toEqual(seeded.fields);
  }
});

type Evaluated = {
  sourcePosition: { currentOffset: number; endOffset: number };
  values?: { value: { boolValue?: boolean }; count: number }[];
  children?: Evaluated[];
};

it('every condition of the rules was true for some calls and false for others', async () => {
  const url = `http://${inject('firestoreHost')}/emulator/v1/projects/${project}:ruleCoverage`;
  const { rules, report } = (await (await fetch(url)).json()) as {
    rules: { files: { content: string }[] };
    report: Evaluated[];
  };
  const source = rules.files[0]?.content ?? '';
  expect(source).toBe(readFileSync('firestore.rules', 'utf8'));
  const flat = (all: Evaluated[]): Evaluated[] => all.flatMap((one) => [one, ...flat(one.children ?? [])]);
  const evaluated = flat(report);
  const never = evaluated.filter(({ values = [] }) => values.length === 0);
  const conditions = evaluated
    .filter(({ values = [] }) => values.some(({ value }) => value.boolValue !== undefined))
    .map(({ sourcePosition: { currentOffset, endOffset }, values = [] }) => {
      const countResults = (result: boolean) =>
        values.find(({ value }) => value.boolValue === result)?.count ?? 0;
      return {
        condition: source.slice(currentOffset, endOffset + 1),
        whenTrue: countResults(true),
        whenFalse: countResults(false),
      };
    });
  const lines = conditions.map(
    ({ condition, whenTrue, whenFalse }) => `${condition}: true ${whenTrue}, false ${whenFalse}\n`,
  );
  process.stdout.write(`Coverage of the rules\n${lines.join('')}`);
  expect(never).toEqual([]);
  expect(conditions.map(({ condition }) => condition)).toEqual([
    'request.auth != null && request.auth.uid == uid',
    'request.auth != null',
    'request.auth.uid == uid',
  ]);
  for (const { whenTrue, whenFalse } of conditions) expect(Math.min(whenTrue, whenFalse)).toBeGreaterThan(0);
});
