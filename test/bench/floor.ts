/**
 * The minimum of a `generate`: the same upstream calls and the same commits (documents with the same fields), and
 * nothing else: no token, no schema, no limits, no errors. With the argument `library` the commits go through
 * Google's Firestore client, as ours do. That shows how much of the distance to the floor is the client's.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { parseConfig } from '../../shared/config/config.ts';
import type { Version } from '../../shared/database/database.ts';
import { createDatabase } from '../../shared/database/firestore.ts';
import { createRawFirestore, type Stamp } from './rawFirestore.ts';

const { GOOGLE_GEMINI_BASE_URL, GEMINI_API_KEY = '', CLOUDINARY_URL = '', PORT } = process.env;
const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_EMULATOR_HOST = '' } = process.env;
const generateUrl = `${GOOGLE_GEMINI_BASE_URL}/v1beta/models/gemini-2.5-flash-image:generateContent`;
const cloudinary = new URL(CLOUDINARY_URL);
const uploadUrl = `${cloudinary.searchParams.get('upload_prefix')}/v1_1/${cloudinary.hostname}/image/upload`;
const database =
  process.argv[2] === 'library'
    ? createLibraryDatabase()
    : createRawFirestore(GOOGLE_CLOUD_PROJECT, FIRESTORE_EMULATOR_HOST);

function createLibraryDatabase(): Pick<ReturnType<typeof createRawFirestore>, 'read' | 'commit'> {
  const firestore = createDatabase(parseConfig(process.env));
  return {
    async read(paths) {
      const [account] = (await firestore.read(paths)).documents;
      if (!account) throw new Error('No such account');
      return { data: account.data, at: account.version as unknown as Stamp };
    },
    async commit(writes) {
      const version = await firestore.commit(
        writes.map(({ path, data, at }) =>
          at ? { update: path, data, at: at as unknown as Version } : { create: path, data },
        ),
      );
      return version as unknown as Stamp;
    },
  };
}

async function generate(uid: string, prompt: string): Promise<object> {
  const id = randomUUID().replaceAll('-', '');
  const account = `accounts/${uid}`;
  const path = `${account}/generations/${id}`;

  const { data, at: readAt } = await database.read([account, path]);
  const { active = {}, rate = [] } = data as { active?: Record<string, Date>; rate?: Date[] };
  const [balance, sequence] = [(data.balance as number) - 1, ((data.sequence ?? 0) as number) + 1];
  const createdAt = new Date();
  const deadline = new Date(createdAt.getTime() + 180_000);
  const receipt = { charged: 1, refunded: 0, balance, sequence };
  const ledger = { balance, settled: balance, sequence, updatedAt: createdAt, usedAt: createdAt };
  const at = await database.commit([
    {
      path: account,
      data: { ...ledger, active: { ...active, [id]: deadline }, rate: [...rate, createdAt] },
      at: readAt,
    },
    {
      path: `${account}/entries/${id}:debit`,
      data: { type: 'debit', amount: -1, generationId: id, sequence, balance, createdAt },
    },
    { path, data: { ...createPending(id, prompt), deadline, receipt, createdAt } },
  ]);

  const generated = await fetch(generateUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': GEMINI_API_KEY },
    body: JSON.stringify({
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1' } },
      store: false,
    }),
  });
  const { candidates } = (await generated.json()) as {
    candidates: { content: { parts: { inlineData: { data: string } }[] } }[];
  };
  const bytes = Buffer.from(candidates[0]?.content.parts[0]?.inlineData.data ?? '', 'base64');

  const signed = `public_id=${id}&timestamp=${Math.floor(Date.now() / 1000)}`;
  const form = new FormData();
  for (const [name, value] of new URLSearchParams(signed)) form.append(name, value);
  form.append('api_key', cloudinary.username);
  form.append(
    'signature',
    createHash('sha1')
      .update(signed + cloudinary.password)
      .digest('hex'),
  );
  form.append('file', new Blob([bytes]));
  const stored = await fetch(uploadUrl, { method: 'POST', body: form });
  const { secure_url: url } = (await stored.json()) as { secure_url: string };

  const image = { url, thumbnailUrl: url, mimeType: 'image/png', width: 1, height: 1, bytes: bytes.length };
  const bill = { model: 'gemini-2.5-flash-image', enhancedPrompt: null, providerCostMicros: 39_000 };
  const done = { ...bill, image, status: 'succeeded', finishedAt: new Date() };
  await database.commit([{ path, data: done, at }]);
  return { generation: { id, ...done }, balance };
}

/** The fields of a pending generation, as many and as long as ours. */
function createPending(id: string, prompt: string) {
  const owner = randomUUID();
  return {
    status: 'pending',
    owner,
    fingerprint: createHash('sha256').update(prompt).digest('hex'),
    tier: 'standard',
    orientation: 'landscape',
    credits: 1,
    prompt,
    enhancedPrompt: null,
    request: { enhance: false, fresh: false, references: [] },
    model: null,
    cached: false,
    imageOwner: id,
    sharers: [id],
    cacheKey: null,
    publicId: `${id}/${owner}`,
    image: null,
    failure: null,
    providerCostMicros: 0,
    finishedAt: null,
  };
}

createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', async () => {
    // The uid of the token, which is not verified.
    const [, payload = ''] = request.headers.authorization?.split('.') ?? [];
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const body = JSON.stringify(await generate(sub, JSON.parse(text).prompt));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
}).listen(Number(PORT));
