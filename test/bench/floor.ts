/**
 * The least that a `generate` can be: the same upstream calls and the same commits, with nothing around them.
 * No token, no schema, no limits, no errors.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { batchGet, commit, createCaller } from '../../shared/firestoreCalls.ts';
import { encodeFields } from '../../shared/firestoreMessages.ts';

const { GOOGLE_GEMINI_BASE_URL, GEMINI_API_KEY = '', CLOUDINARY_URL = '', PORT } = process.env;
const { GOOGLE_CLOUD_PROJECT: projectId = '', FIRESTORE_EMULATOR_HOST: firestoreEmulatorHost } = process.env;
const databaseId = '(default)';
const { call } = createCaller({ projectId, databaseId, firestoreEmulatorHost });
const database = `projects/${projectId}/databases/${databaseId}`;
const documentOf = (name: string, data: object) => ({ name, fields: encodeFields({ ...data }) });
const paintUrl = `${GOOGLE_GEMINI_BASE_URL}/v1beta/models/gemini-2.5-flash-image:generateContent`;
const cloudinary = new URL(CLOUDINARY_URL);
const uploadUrl = `${cloudinary.searchParams.get('upload_prefix')}/v1_1/${cloudinary.hostname}/image/upload`;

async function generate(uid: string, prompt: string): Promise<object> {
  const account = `${database}/documents/accounts/${uid}`;
  const id = randomUUID();
  const generation = `${account}/generations/${id}`;

  const answers = await call(batchGet, { database, documents: [account, generation] });
  const before = answers.find(({ found }) => found)?.found;
  if (!before) throw new Error('No such account');
  const balance = Number(before.fields.balance?.integerValue) - 1;
  const now = new Date();
  const exists = false;
  const [held] = await call(commit, {
    database,
    writes: [
      {
        update: documentOf(account, { balance, updatedAt: now }),
        updateMask: { fieldPaths: ['balance', 'updatedAt'] },
        currentDocument: { updateTime: before.updateTime },
      },
      {
        update: documentOf(`${account}/entries/${id}:debit`, { amount: -1, balance, createdAt: now }),
        currentDocument: { exists },
      },
      {
        update: documentOf(generation, { status: 'pending', prompt, createdAt: now }),
        currentDocument: { exists },
      },
    ],
  });

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
  form.append('signature', createHash('sha1').update(signed + cloudinary.password).digest('hex'));
  form.append('file', new Blob([bytes]));
  const stored = await fetch(uploadUrl, { method: 'POST', body: form });
  const { secure_url: url } = (await stored.json()) as { secure_url: string };

  const done = { status: 'succeeded', image: { url, bytes: bytes.length }, finishedAt: new Date() };
  await call(commit, {
    database,
    writes: [
      {
        update: documentOf(generation, done),
        updateMask: { fieldPaths: Object.keys(done) },
        currentDocument: { updateTime: held?.writeResults[0]?.updateTime },
      },
    ],
  });
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
