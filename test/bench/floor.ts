/**
 * The least that a `generate` can be: the same upstream calls and the same commits, with nothing around them.
 * No token, no schema, no limits, no errors. With the argument `library` the commits go through Google's
 * Firestore library, which tells what of the distance to the floor is the library's, and what is ours.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Firestore, type Timestamp } from '@google-cloud/firestore';
import { type RawWrite, rawFirestore, type Stamp } from './rawFirestore.ts';

const { GOOGLE_GEMINI_BASE_URL, GEMINI_API_KEY = '', CLOUDINARY_URL = '', PORT } = process.env;
const { GOOGLE_CLOUD_PROJECT = '', FIRESTORE_EMULATOR_HOST = '' } = process.env;
const paintUrl = `${GOOGLE_GEMINI_BASE_URL}/v1beta/models/gemini-2.5-flash-image:generateContent`;
const cloudinary = new URL(CLOUDINARY_URL);
const uploadUrl = `${cloudinary.searchParams.get('upload_prefix')}/v1_1/${cloudinary.hostname}/image/upload`;
const database =
  process.argv[2] === 'library' ? library() : rawFirestore(GOOGLE_CLOUD_PROJECT, FIRESTORE_EMULATOR_HOST);

function library(): Pick<ReturnType<typeof rawFirestore>, 'read' | 'commit'> {
  const firestore = new Firestore({ projectId: GOOGLE_CLOUD_PROJECT });
  return {
    async read(paths) {
      const [account] = await firestore.getAll(...paths.map((path) => firestore.doc(path)));
      return { balance: account?.get('balance'), at: account?.updateTime as unknown as Stamp };
    },
    async commit(writes) {
      const batch = firestore.batch();
      for (const { path, data, at } of writes) {
        const lastUpdateTime = at as unknown as Timestamp;
        if (at) batch.update(firestore.doc(path), data, { lastUpdateTime });
        else batch.create(firestore.doc(path), data);
      }
      return (await batch.commit())[0]?.writeTime as unknown as Stamp;
    },
  };
}

async function generate(uid: string, prompt: string): Promise<object> {
  const id = randomUUID();
  const account = `accounts/${uid}`;
  const path = `${account}/generations/${id}`;

  const before = await database.read([account, path]);
  const balance = before.balance - 1;
  const createdAt = new Date();
  const hold: RawWrite[] = [
    { path: account, data: { balance, updatedAt: createdAt }, at: before.at },
    { path: `${account}/entries/${id}:debit`, data: { amount: -1, balance, createdAt } },
    { path, data: { status: 'pending', prompt, createdAt } },
  ];
  const at = await database.commit(hold);

  const painted = await fetch(paintUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': GEMINI_API_KEY },
    body: JSON.stringify({
      contents: [{ role: 'user', parts: [{ text: prompt }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: { aspectRatio: '1:1' } },
    }),
  });
  const { candidates } = (await painted.json()) as {
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

  const done = { status: 'succeeded', image: { url, bytes: bytes.length }, finishedAt: new Date() };
  await database.commit([{ path, data: done, at }]);
  return { generation: { id, ...done }, balance };
}

createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    text += chunk;
  });
  request.on('end', async () => {
    // The caller, as the token says without being asked whether it is true.
    const [, payload = ''] = request.headers.authorization?.split('.') ?? [];
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const body = JSON.stringify(await generate(sub, JSON.parse(text).prompt));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
}).listen(Number(PORT));
