/** The bundle signs in with a function's service account, although it loads the library for that lazily. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config/config.ts';
import { bundleFunctions } from '../../../tools/build/bundle.ts';

const outdir = mkdtempSync(join(tmpdir(), 'nano-banana-bundle-'));
const requests: string[] = [];

/** Cloud Run's metadata server and Vertex AI in one. */
const google = createServer((request, response) => {
  const { url = '', headers } = request;
  requests.push(`${headers.authorization ?? ''} ${url}`);
  const isMetadata = url.startsWith('/computeMetadata');
  const token = { access_token: 'of-the-account', expires_in: 3600, token_type: 'Bearer' };
  response.setHeader('Metadata-Flavor', 'Google');
  response.setHeader(
    'Content-Type',
    isMetadata && !url.includes('token') ? 'text/plain' : 'application/json',
  );
  if (!isMetadata)
    response.end(JSON.stringify({ candidates: [{ content: { parts: [{ text: 'Better' }] } }] }));
  else if (url.includes('/token')) response.end(JSON.stringify(token));
  else response.end(url.includes('universe') ? 'googleapis.com' : 'a-project');
});

beforeAll(async () => {
  await bundleFunctions(outdir);
  await new Promise<void>((resolve) => google.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(google.address() as AddressInfo).port}`;
  Object.assign(process.env, { GCE_METADATA_HOST: host, METADATA_SERVER_DETECTION: 'assume-present' });
});
afterAll(() => {
  google.close();
  rmSync(outdir, { recursive: true, force: true });
});

it('calls Vertex AI with the token of the service account', async () => {
  const file = readdirSync(outdir).find((name) => /^gemini-.*\.mjs$/.test(name)) ?? '';
  const { createGemini } = await import(pathToFileURL(join(outdir, file)).href);
  const env = {
    GOOGLE_CLOUD_PROJECT: 'a-project',
    GOOGLE_GENAI_USE_VERTEXAI: 'true',
    GOOGLE_GEMINI_BASE_URL: `http://127.0.0.1:${(google.address() as AddressInfo).port}`,
  };
  const request = { instruction: 'Improve', prompt: 'A banana', schema: {}, outputTokensMax: 100 };
  const { text } = await createGemini(parseConfig(env), { warning() {} }).write('gemini-x', request, 10_000);
  expect(text).toBe('Better');
  expect(requests.at(-1)).toMatch(
    /^Bearer of-the-account .*\/projects\/a-project\/.*gemini-x:generateContent/,
  );
});
