import { loadImage } from '@napi-rs/canvas';
import { imageSize } from 'image-size';
import { describe, expect, test } from 'vitest';
import { type GeminiStep, geminiFault } from '../../../local/fakes/geminiFaults.ts';
import { defaultModel, gemini, imageRequest, picture, post, rejection } from './support.ts';

const body = { contents: [{ parts: [{ text: 'a fox' }] }] };

describe('the SDK gets a scripted error', () => {
  test.each<[string, GeminiStep, number, string[]]>([
    [
      'perMinute',
      geminiFault.perMinute(20),
      429,
      ['PerMinutePerProject', '\\"retryDelay\\":\\"20s\\"', 'RetryInfo'],
    ],
    ['perDay', geminiFault.perDay(), 429, ['GenerateRequestsPerDayPerProjectPerModel-FreeTier', '"1s\\"']],
    [
      'limitZero',
      geminiFault.limitZero('other-model'),
      429,
      ['limit: 0, model: other-model', 'QuotaFailure'],
    ],
    ['prepaymentDepleted', geminiFault.prepaymentDepleted(), 429, ['prepayment credits are depleted']],
    ['badKey', geminiFault.badKey(), 400, ['API_KEY_INVALID']],
    ['badRegion', geminiFault.badRegion(), 400, ['FAILED_PRECONDITION']],
    ['forbidden', geminiFault.forbidden(), 403, ['PERMISSION_DENIED']],
    ['notFound', geminiFault.notFound(), 404, ['is not found for API version v1beta']],
    ['noLongerAvailable', geminiFault.noLongerAvailable(), 404, ['no longer available']],
    ['badReference', geminiFault.badReference(), 400, ['INVALID_ARGUMENT', 'Unable to process input image']],
    ['internal', geminiFault.internal(), 500, ['INTERNAL']],
    ['highDemand', geminiFault.highDemand(), 503, ['experiencing high demand']],
    ['deadline', geminiFault.deadline(), 504, ['DEADLINE_EXCEEDED']],
  ])('%s', async (_, step, status, contained) => {
    const { sdk, server } = await gemini();
    server.script(step);
    const error = (await rejection(sdk.models.generateContent(imageRequest()))) as Error;
    expect(error).toMatchObject({ name: 'ApiError', status });
    const unescaped = error.message.replaceAll('\\"', '"');
    for (const text of contained) expect(unescaped).toContain(text.replaceAll('\\"', '"'));
    expect(server.requests).toMatchObject([{ worked: false }]);
    // The step is used up: the next request succeeds.
    expect((await sdk.models.generateContent(imageRequest())).data).toBeTruthy();
  });

  test('without details for depleted credits', async () => {
    const { server } = await gemini();
    server.script(geminiFault.prepaymentDepleted());
    expect((await post(server, body)).body.error).not.toHaveProperty('details');
  });
});

describe('the SDK gets a scripted connection failure', () => {
  test.each<[string, GeminiStep, object]>([
    ['an empty body', geminiFault.emptyBody(), { name: 'SyntaxError' }],
    // The SDK wraps a body whose content type is not JSON, and keeps the status.
    ['an empty body with 500', geminiFault.emptyBody(500), { status: 500 }],
    ['a page', geminiFault.html(502), { status: 502, message: expect.stringContaining('<!DOCTYPE html>') }],
    ['a page with 200', geminiFault.html(200), { name: 'SyntaxError' }],
    ['a reset before the headers', geminiFault.reset(), { name: 'TypeError' }],
    [
      'a reset after the headers',
      geminiFault.reset('after-headers'),
      { name: 'TypeError', message: 'terminated' },
    ],
    ['half of the JSON', geminiFault.truncate(), { name: 'SyntaxError' }],
  ])('%s', async (_, step, seen) => {
    const { sdk, server } = await gemini();
    server.script(step);
    expect(await rejection(sdk.models.generateContent(imageRequest()))).toMatchObject(seen);
  });

  test('an empty JSON body with 500, without a status', async () => {
    const { sdk, server } = await gemini();
    server.script({ ...geminiFault.emptyBody(500), headers: { 'content-type': 'application/json' } });
    const error = await rejection(sdk.models.generateContent(imageRequest()));
    expect(error).toMatchObject({ name: 'SyntaxError' });
    expect(error).not.toHaveProperty('status');
  });

  test('no answer, until the caller gives up', async () => {
    const caller = new AbortController();
    const { sdk, server } = await gemini({ onRequest: () => caller.abort() });
    server.script(geminiFault.hang());
    const request = imageRequest();
    const call = sdk.models.generateContent({
      ...request,
      config: { ...request.config, abortSignal: caller.signal },
    });
    expect(await rejection(call)).toMatchObject({ name: 'AbortError' });
  });

  test('no answer, until the server closes', async () => {
    const arrived = Promise.withResolvers<void>();
    const { sdk, server } = await gemini({ onRequest: () => arrived.resolve() });
    server.script(geminiFault.hang());
    const call = rejection(sdk.models.generateContent(imageRequest()));
    await arrived.promise;
    await server.close();
    expect(await call).toMatchObject({ name: 'TypeError', message: expect.stringContaining('fetch failed') });
  });

  test('a body that drips forever', async () => {
    const { server } = await gemini();
    server.script(geminiFault.drip(1));
    const caller = new AbortController();
    const response = await fetch(`${server.url}/v1beta/models/${defaultModel}:generateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': 'key-of-the-test' },
      body: JSON.stringify({ ...body, store: false }),
      signal: caller.signal,
    });
    let received = '';
    for await (const chunk of response.body ?? []) {
      received += Buffer.from(chunk).toString();
      if (received.length >= 5) break;
    }
    expect(received.trim()).toBe('');
  });

  test('a delay, and then the image', async () => {
    const { sdk, server } = await gemini();
    server.script(geminiFault.delay(60));
    const start = performance.now();
    expect((await sdk.models.generateContent(imageRequest())).data).toBeTruthy();
    expect(performance.now() - start).toBeGreaterThanOrEqual(55);
  });

  test('a reset after the image was generated', async () => {
    const { sdk, server } = await gemini();
    server.script({ ...geminiFault.reset(), afterWork: true });
    expect(await rejection(sdk.models.generateContent(imageRequest()))).toMatchObject({ name: 'TypeError' });
    expect(server.requests).toMatchObject([{ worked: true }]);
  });
});

describe('an answer without an image has the form of', () => {
  const imageSafety = { finishReason: 'IMAGE_SAFETY', finishMessage: 'The model stopped: IMAGE_SAFETY.' };
  test.each<[string, GeminiStep, object]>([
    [
      'text only',
      geminiFault.textOnly('No.'),
      { candidates: [{ content: { parts: [{ text: 'No.' }] }, finishReason: 'STOP' }] },
    ],
    ['no content', geminiFault.noImage('IMAGE_SAFETY'), { candidates: [{ content: {}, ...imageSafety }] }],
    [
      'null parts',
      geminiFault.noImage('IMAGE_SAFETY', undefined, 'null-parts'),
      { candidates: [{ content: { parts: null } }] },
    ],
    [
      'a role only',
      geminiFault.noImage('NO_IMAGE', 'None.', 'role-only'),
      { candidates: [{ content: { role: 'model' }, finishMessage: 'None.' }] },
    ],
    [
      'a blocked prompt',
      geminiFault.promptBlocked('BLOCKLIST'),
      { promptFeedback: { blockReason: 'BLOCKLIST' } },
    ],
    [
      'empty data',
      geminiFault.emptyImage(),
      { candidates: [{ content: { parts: [{ inlineData: { data: '' } }] } }] },
    ],
    [
      'text said to be PNG',
      geminiFault.notAnImage(),
      { candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png' } }] } }] },
    ],
  ])('%s', async (_, step, expected) => {
    const { sdk, server } = await gemini();
    server.script(step);
    const answer = await post(server, body);
    expect(answer).toMatchObject({ status: 200, body: { ...expected, modelVersion: defaultModel } });
    expect(answer.body.usageMetadata.promptTokenCount).toBeGreaterThan(0);
    expect('candidates' in answer.body).toBe('candidates' in expected);
    // The SDK accepts each of them without an error.
    server.script(step);
    await sdk.models.generateContent(imageRequest());
  });
});

test('sends the bytes of a scripted image unchanged', async () => {
  const { server } = await gemini();
  const bytes = picture(30, 20);
  server.script(geminiFault.image(bytes, 'image/webp'));
  const { inlineData } = (await post(server, body)).body.candidates[0].content.parts[0];
  expect(inlineData).toEqual({ mimeType: 'image/webp', data: bytes.toString('base64') });
});

describe('generates an image of one colour', () => {
  const wide = { ...body, generationConfig: { imageConfig: { aspectRatio: '16:9' } } };
  const generate = async (step: GeminiStep) => {
    const { server } = await gemini();
    server.script(step);
    const { inlineData } = (await post(server, wide)).body.candidates[0].content.parts[0];
    expect(server.requests).toMatchObject([{ worked: true }]);
    return Buffer.from(inlineData.data, 'base64');
  };

  test.each<[string, GeminiStep, object]>([
    ['of the requested size', geminiFault.blank(), { type: 'png', width: 1344, height: 768 }],
    ['as JPEG', geminiFault.blank('image/jpeg'), { type: 'jpg', width: 1344, height: 768 }],
    ['as WebP', geminiFault.blank('image/webp'), { type: 'webp', width: 1344, height: 768 }],
    ['of another shape', geminiFault.otherShape('1:1'), { type: 'png', width: 1024, height: 1024 }],
    ['of another size', geminiFault.sized(300, 200), { type: 'png', width: 300, height: 200 }],
    ['of one pixel', geminiFault.onePixel(), { type: 'png', width: 1, height: 1 }],
  ])('%s', async (_, step, facts) => {
    const bytes = await generate(step);
    expect(imageSize(bytes)).toMatchObject(facts);
    await expect(loadImage(bytes)).resolves.toMatchObject({ width: imageSize(bytes).width });
  });

  test.each(['image/png', 'image/jpeg', 'image/webp'] as const)('that is cut off: %s', async (mimeType) => {
    const whole = await generate(geminiFault.blank(mimeType));
    const bytes = await generate(geminiFault.cutOff(mimeType));
    expect(bytes.equals(whole.subarray(0, Math.ceil(whole.length / 2)))).toBe(true);
    expect(imageSize(bytes)).toMatchObject({ width: 1344, height: 768 });
  });
});

test('sends drafts first, marked as thoughts and different from the image', async () => {
  const { sdk, server } = await gemini();
  server.script(geminiFault.drafts(2));
  const { candidates } = await sdk.models.generateContent(imageRequest());
  const images = (candidates?.[0]?.content?.parts ?? []).filter((part) => part.inlineData);
  expect(images.map((part) => part.thought ?? false)).toEqual([true, true, false]);
  expect(new Set(images.map((part) => part.inlineData?.data)).size).toBe(3);
});

test('uses steps in order, steps for a model only for that model, then the default step', async () => {
  const { server } = await gemini();
  const other = 'gemini-3-pro-image';
  server.script(geminiFault.highDemand(), { ...geminiFault.perDay(), model: other }, geminiFault.internal());
  server.always({ ...geminiFault.deadline(), model: defaultModel });
  const statuses: number[] = [];
  for (const model of [defaultModel, defaultModel, defaultModel, other, other]) {
    statuses.push((await post(server, body, { model })).status);
  }
  expect(statuses).toEqual([503, 500, 504, 429, 200]);
  server.always(undefined);
  expect((await post(server, body)).status).toBe(200);
});
