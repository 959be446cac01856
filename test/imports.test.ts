/** Who may import whom: the arrows that docs/guides/newcomer.md draws, read off every import there is. */
import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

type Import = { from: string; to: string; isType: boolean };

/** Imports as Biome formats them: static ones begin a line; `import('…')` may stand anywhere. */
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

it('the imports were found', () => {
  expect(imports.length).toBeGreaterThan(800);
  const known = new Set(files);
  expect(
    imports.filter((one) => ours(one) && /\.tsx?$/.test(one.to) && !known.has(one.to)).map(show),
  ).toEqual([]);
});

describe('the arrows', () => {
  it('functions import shared, and no function another but the contents page, which the start imports', () => {
    const outside = among('functions').filter((one) => ours(one) && !isIn(one.to, 'shared'));
    const wrong = outside.filter(({ from }) => from !== 'functions/index.ts');
    expect(wrong.map(show)).toEqual(['functions/main.ts imports functions/index.ts']);
    expect(outside.filter(({ to }) => !isIn(to, 'functions')).map(show)).toEqual([]);
  });

  it('shared imports nothing of ours but shared', () => {
    expect(
      among('shared')
        .filter((one) => ours(one) && !isIn(one.to, 'shared'))
        .map(show),
    ).toEqual([]);
  });

  it('the contract imports nothing of ours at all', () => {
    expect(imports.filter((one) => one.from === 'shared/contract.ts' && ours(one))).toEqual([]);
  });

  it('the page imports the types of the contract, and else only itself', () => {
    const outside = among('web').filter((one) => ours(one) && !isIn(one.to, 'web'));
    expect(outside.filter(({ to, isType }) => to !== 'shared/contract.ts' || !isType).map(show)).toEqual([]);
    expect(outside.length).toBeGreaterThan(0);
  });

  it('nothing but local imports local, nothing but test imports test', () => {
    const wrong = among('functions', 'shared', 'web', 'local').filter(
      ({ from, to }) => isIn(to, 'test') || (isIn(to, 'local') && !isIn(from, 'local')),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('the rules of credit know no service: the ledger reaches Firestore through shared/database/database.ts alone', () => {
    const services = [
      'shared/database/firestore.ts',
      'shared/database/firestoreClient.ts',
      'shared/imagegen/gemini.ts',
      'shared/auth.ts',
    ];
    const wrong = among('shared/ledger').filter(({ to, isType }) => services.includes(to) && !isType);
    expect(wrong.map(show)).toEqual([]);
  });
});

describe('each package of a vendor is imported by one file', () => {
  it.each<[string, string]>([
    ['@google-cloud/firestore', 'shared/database/firestoreClient.ts'],
    ['google-gax', 'shared/database/firestoreClient.ts'],
    ['@google-cloud/functions-framework', 'shared/http/server.ts'],
    ['@google/genai', 'shared/imagegen/gemini.ts'],
    ['cloudinary', 'shared/images/cloudinary.ts'],
    ['jose', 'shared/auth.ts'],
    ['protobufjs', 'shared/database/accountEvent.ts'],
    ['image-size', 'shared/images/imageFormat.ts'],
    ['@firebase/auth', 'web/state/session.ts'],
    ['@firebase/firestore', 'web/state/liveAccount.ts'],
    ['idb-keyval', 'web/state/storage.ts'],
  ])('%s by %s', (name, file) => {
    const importers = among('functions', 'shared', 'web')
      .filter(({ to }) => to === name || to.startsWith(`${name}/`))
      .map(({ from }) => from);
    expect([...new Set(importers)]).toEqual([file]);
  });
});
