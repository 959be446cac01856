/**
 * The same functions as a careful tutorial writes them: firebase-functions, firebase-admin, the vendors' SDKs,
 * transactions, an idempotency key, a refund. Everything is imported at the top and nothing is bundled.
 */

import { GoogleGenAI, Modality } from '@google/genai';
import { v2 as cloudinary } from 'cloudinary';
import { initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';
import { FieldValue, getFirestore } from 'firebase-admin/firestore';
import { onRequest } from 'firebase-functions/v2/https';

initializeApp();
const db = getFirestore();
const ai = new GoogleGenAI({
  apiKey: process.env.GEMINI_API_KEY,
  apiVersion: 'v1beta',
  httpOptions: { baseUrl: process.env.GOOGLE_GEMINI_BASE_URL },
});
const modelId = 'gemini-2.5-flash-image';
const prices = { standard: 1, premium2: 2, premium4: 4 };
const aspectRatios = { standard: '1:1', premium2: '3:2', premium4: '16:9' };

class HttpError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

async function authenticate(request) {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) throw new HttpError(401, 'Please sign in.');
  try {
    return await getAuth().verifyIdToken(token);
  } catch {
    throw new HttpError(401, 'Please sign in.');
  }
}

const handled = (method, handler) =>
  onRequest(async (request, response) => {
    try {
      if (request.method !== method) throw new HttpError(405, `Please use ${method}.`);
      response.json(await handler(request));
    } catch (error) {
      if (!(error instanceof HttpError)) process.stderr.write(`${error.stack}\n`);
      response.status(error.code > 100 ? error.code : 500).json({ error: { message: error.message } });
    }
  });

export const health = handled('GET', async () => ({ status: 'ok' }));

export const account = handled('GET', async (request) => {
  const user = await authenticate(request);
  const reference = db.doc(`accounts/${user.uid}`);
  const snapshot = await reference.get();
  if (!snapshot.exists) await reference.create({ balance: 10, email: user.email ?? null });
  return { account: { uid: user.uid, balance: snapshot.get('balance') ?? 10 }, tiers: prices };
});

/** Debits the price once per key. */
function debit(uid, key, { prompt, tier, price }) {
  const account = db.doc(`accounts/${uid}`);
  const generation = account.collection('generations').doc(key);
  return db.runTransaction(async (transaction) => {
    const [accountNow, generationNow] = await transaction.getAll(account, generation);
    if (generationNow.exists) return { stored: generationNow.data() };
    const balance = accountNow.get('balance') ?? 0;
    if (balance < price) throw new HttpError(402, 'Not enough credits.');
    transaction.update(account, { balance: balance - price, updatedAt: FieldValue.serverTimestamp() });
    transaction.create(account.collection('entries').doc(`${key}:debit`), {
      type: 'debit',
      amount: -price,
      balance: balance - price,
      createdAt: FieldValue.serverTimestamp(),
    });
    transaction.create(generation, {
      status: 'pending',
      prompt,
      tier,
      price,
      createdAt: FieldValue.serverTimestamp(),
    });
    return { generation, balance: balance - price };
  });
}

function refund(uid, key, price) {
  const account = db.doc(`accounts/${uid}`);
  const generation = account.collection('generations').doc(key);
  return db.runTransaction(async (transaction) => {
    const [accountNow, generationNow] = await transaction.getAll(account, generation);
    if (generationNow.get('status') !== 'pending') return;
    const balance = accountNow.get('balance') + price;
    transaction.update(account, { balance, updatedAt: FieldValue.serverTimestamp() });
    transaction.create(account.collection('entries').doc(`${key}:refund`), {
      type: 'refund',
      amount: price,
      balance,
      createdAt: FieldValue.serverTimestamp(),
    });
    transaction.update(generation, { status: 'refunded', finishedAt: FieldValue.serverTimestamp() });
  });
}

async function generateImage(prompt, tier) {
  const response = await ai.models.generateContent({
    model: modelId,
    contents: prompt,
    config: {
      responseModalities: [Modality.IMAGE],
      imageConfig: { aspectRatio: aspectRatios[tier] },
      store: false,
    },
  });
  const part = response.candidates?.[0]?.content?.parts?.find((each) => each.inlineData);
  if (!part) throw new HttpError(502, 'The model made no image.');
  return Buffer.from(part.inlineData.data, 'base64');
}

function upload(bytes, publicId) {
  return new Promise((resolve, reject) => {
    const options = { public_id: publicId, overwrite: true, resource_type: 'image' };
    cloudinary.uploader
      .upload_stream(options, (error, result) => (error ? reject(error) : resolve(result)))
      .end(bytes);
  });
}

export const generate = handled('POST', async (request) => {
  const user = await authenticate(request);
  const key = request.get('idempotency-key');
  if (!key) throw new HttpError(400, 'Idempotency-Key is required.');
  const { prompt, tier } = request.body;
  const price = prices[tier];
  if (typeof prompt !== 'string' || prompt === '' || prompt.length > 4000 || !price) {
    throw new HttpError(400, 'prompt and tier are required.');
  }
  const { stored, generation, balance } = await debit(user.uid, key, { prompt, tier, price });
  if (stored?.status === 'pending') throw new HttpError(409, 'Still running.');
  if (stored) return { generation: stored };
  try {
    const bytes = await generateImage(prompt, tier);
    const image = await upload(bytes, `generations/${user.uid}/${key}`);
    const { secure_url: url, width, height } = image;
    const done = { status: 'succeeded', image: { url, width, height, bytes: bytes.length } };
    await generation.update({ ...done, finishedAt: FieldValue.serverTimestamp() });
    return { generation: { id: key, prompt, tier, ...done }, balance };
  } catch (error) {
    await refund(user.uid, key, price);
    throw error;
  }
});
