/** The directions of imports, as docs/guides/newcomer.md draws them, checked on every import. */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

type Import = { from: string; to: string; isType: boolean };

/** Imports as Biome formats them: static ones begin a line, `import('…')` may be anywhere. */
const pattern =
  /^(?:import|export) (?<type>type )?(?:[^'";]*? from )?'(?<static>[^']+)';|\bimport\('(?<dynamic>[^']+)'\)/gm;

const files = globSync('{functions,shared,web,local,tools,test}/**/*.{ts,tsx}');
const imports: Import[] = files.flatMap((from) =>
  [...readFileSync(from, 'utf8').matchAll(pattern)].map(({ groups = {} }) => {
    const named = groups.static ?? groups.dynamic ?? '';
    const to = named.startsWith('.') ? posix.join(posix.dirname(from), named) : named;
    return { from, to, isType: groups.type !== undefined };
  }),
);

const isIn = (path: string, ...folders: string[]) => folders.some((folder) => path.startsWith(`${folder}/`));
const show = ({ from, to }: Import) => `${from} imports ${to}`;
const among = (...folders: string[]) => imports.filter(({ from }) => isIn(from, ...folders));
const ours = ({ to }: Import) => isIn(to, 'functions', 'shared', 'web', 'local', 'tools', 'test');

it('finds the imports', () => {
  expect(imports.length).toBeGreaterThan(800);
  const known = new Set(files);
  expect(
    imports.filter((one) => ours(one) && /\.tsx?$/.test(one.to) && !known.has(one.to)).map(show),
  ).toEqual([]);
});

/** The rooms of shared/, from the bottom up: each imports only rooms before it. */
const rooms = [
  'contract',
  'errorReasons.ts',
  'errors.ts',
  'core',
  'identity.ts',
  'database',
  'images',
  'imagegen',
  'prompts',
  'config',
  'auth',
  'erasures',
  'ledger',
  'payments',
  'services.ts',
  'generation',
  'sharing',
  'people',
  'desk',
  'http',
  'contract.ts',
];
const getRoom = (path: string) => path.split('/')[1] ?? '';

describe('imports point one way', () => {
  it('each room of shared/ imports only rooms below it', () => {
    const between = among('shared').filter((one) => ours(one) && getRoom(one.from) !== getRoom(one.to));
    expect([...new Set(between.flatMap(({ from, to }) => [getRoom(from), getRoom(to)]))].sort()).toEqual(
      rooms.toSorted(),
    );
    const wrong = between.filter(({ from, to }) => rooms.indexOf(getRoom(to)) > rooms.indexOf(getRoom(from)));
    expect(wrong.map(show)).toEqual([]);
  });

  it('no file imports itself through others', () => {
    const next = new Map<string, string[]>();
    // Types count too, but for the simulation's model, which is one subject in several files.
    const counted = imports.filter(({ from, isType }) => !isType || !isIn(from, 'test'));
    for (const { from, to } of counted) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const circles: string[] = [];
    function visit(file: string, path: readonly string[]): void {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const to of next.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    }
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('functions import shared; only the contents page imports functions', () => {
    const outside = among('functions').filter((one) => ours(one) && !isIn(one.to, 'shared'));
    const wrong = outside.filter(({ from }) => from !== 'functions/index.ts');
    expect(wrong.map(show)).toEqual(['functions/main.ts imports functions/index.ts']);
    expect(outside.filter(({ to }) => !isIn(to, 'functions')).map(show)).toEqual([]);
    // The whole contract would add 15 ms to each cold start.
    expect(
      among('functions')
        .filter(({ to }) => to === 'shared/contract.ts')
        .map(show),
    ).toEqual([]);
  });

  it('shared imports only shared', () => {
    expect(
      among('shared')
        .filter((one) => ours(one) && !isIn(one.to, 'shared'))
        .map(show),
    ).toEqual([]);
  });

  it('the page imports only itself and types of the contract', () => {
    const outside = among('web').filter((one) => ours(one) && !isIn(one.to, 'web'));
    expect(outside.filter(({ to, isType }) => to !== 'shared/contract.ts' || !isType).map(show)).toEqual([]);
    expect(outside.length).toBeGreaterThan(0);
  });

  it('nothing deployed imports local, tools or test, and only test imports test', () => {
    const deployed = among('functions', 'shared', 'web').filter(({ to }) =>
      isIn(to, 'local', 'tools', 'test'),
    );
    expect(deployed.map(show)).toEqual([]);
    expect(
      among('local', 'tools')
        .filter(({ to }) => isIn(to, 'test'))
        .map(show),
    ).toEqual([]);
    expect(
      among('tools')
        .filter(({ to }) => isIn(to, 'local'))
        .map(show),
    ).toEqual([]);
  });
});

describe('each package of a vendor is imported by one file only', () => {
  it.each<[string, string]>([
    ['@google-cloud/firestore', 'shared/database/firestoreClient.ts'],
    ['google-gax', 'shared/database/firestoreClient.ts'],
    ['@google-cloud/functions-framework', 'shared/http/server.ts'],
    ['@google/genai', 'shared/imagegen/gemini.ts'],
    ['cloudinary', 'shared/images/cloudinary.ts'],
    ['jose', 'shared/auth/tokens.ts'],
    ['protobufjs', 'shared/database/accountEvent.ts'],
    ['mailchecker', 'shared/ledger/signupCredits.ts'],
    ['stripe', 'shared/payments/stripe.ts'],
    ['image-size', 'shared/images/imageFormat.ts'],
    ['@firebase/auth', 'web/state/session.ts'],
    ['@firebase/firestore', 'web/state/liveAccount.ts'],
    ['idb-keyval', 'web/state/storage.ts'],
    ['client-zip', 'web/exportZip.ts'],
  ])('%s by %s', (name, file) => {
    const importers = among('functions', 'shared', 'web')
      .filter(({ to }) => to === name || to.startsWith(`${name}/`))
      .map(({ from }) => from);
    expect([...new Set(importers)]).toEqual([file]);
  });
});

it('no event of Stripe is read without its signature', () => {
  const sources = files.filter((file) => /^(functions|shared)\//.test(file));
  expect(
    sources.filter((file) => /WithoutVerification|parseEventNotification/.test(readFileSync(file, 'utf8'))),
  ).toEqual([]);
});
