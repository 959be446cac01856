/**
 * The least that a `generate` can be: the same upstream calls and the same commits, with nothing around them.
 * No token, no schema, no limits, no errors.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Firestore } from '@google-cloud/firestore';

const { GOOGLE_GEMINI_BASE_URL, GEMINI_API_KEY = '', CLOUDINARY_URL = '', PORT } = process.env;
const firestore = new Firestore({});
const paintUrl = `${GOOGLE_GEMINI_BASE_URL}/v1beta/models/gemini-2.5-flash-image:generateContent`;
const cloudinary = new URL(CLOUDINARY_URL);
const uploadUrl = `${cloudinary.searchParams.get('upload_prefix')}/v1_1/${cloudinary.hostname}/image/upload`;

async function generate(uid: string, prompt: string): Promise<object> {
  const account = firestore.doc(`accounts/${uid}`);
  const id = randomUUID();
  const generation = account.collection('generations').doc(id);

  const [before] = await firestore.getAll(account, generation);
  if (!before?.updateTime) throw new Error('No such account');
  const balance = before.get('balance') - 1;
  const now = new Date();
  const hold = firestore.batch();
  hold.update(account, { balance, updatedAt: now }, { lastUpdateTime: before.updateTime });
  hold.create(account.collection('entries').doc(`${id}:debit`), { amount: -1, balance, createdAt: now });
  hold.create(generation, { status: 'pending', prompt, createdAt: now });
  const [held] = await hold.commit();

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
  if (!held) throw new Error('Nothing was held');
  await generation.update(done, { lastUpdateTime: held.writeTime });
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
