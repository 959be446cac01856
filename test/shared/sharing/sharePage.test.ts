/** The page of a shared image: what it shows, what it loads, and that all other addresses have the same page. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMissingPage, createSharePage } from '../../../shared/sharing/sharePage.ts';
import { createMemoryStudio } from '../../support/memoryStudio.ts';

const token = 'abcdefghijklmnopqrst_-';
const image = {
  url: 'https://res.cloudinary.com/demo/image/upload/v1/shares/abc.png',
  thumbnailUrl: 'https://res.cloudinary.com/demo/small.png',
  mimeType: 'image/png' as const,
  width: 1248,
  height: 832,
  bytes: 1,
};
const config = { publicUrl: 'https://studio.example', sharedImagesIndexed: false };
const { html, headers } = createSharePage({ token, image }, config);
const policy = headers['Content-Security-Policy'] ?? '';
const missing = createMissingPage(config);

/** Checks that the page has one style, and that its policy allows exactly that one. */
function expectStyleHash(page: { html: string; headers: Record<string, string> }) {
  const [style, ...more] = [...page.html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, css]) => css ?? '');
  const hash = createHash('sha256')
    .update(style ?? '')
    .digest('base64');
  expect(more).toEqual([]);
  expect(page.headers['Content-Security-Policy']).toContain(` style-src 'sha256-${hash}';`);
}

describe('the page', () => {
  it('shows the image, the AI mark and a link to report it', () => {
    expect(html).toContain(`<img src="${image.url}" width="1248" height="832"`);
    expect(html).toContain('<strong>Made with AI</strong>');
    expect(html).toContain(`href="https://studio.example/studio#/report/${token}"`);
  });

  it('says once, in its heading, that the image is made with AI, and leads to the studio', () => {
    const body = html.slice(html.indexOf('<body>')).replace(/<img[^>]*>/, '');
    expect(body.match(/made with ai/gi)).toHaveLength(1);
    expect(body).toContain('<h1><strong>Made with AI</strong></h1>');
    expect(body).toContain('href="https://studio.example/studio">Make your own</a>');
  });

  it.each([
    ['property', 'og:type', 'website'],
    ['property', 'og:url', `https://studio.example/i/${token}`],
    ['property', 'og:image', image.url],
    ['property', 'og:image:width', '1248'],
    ['property', 'og:image:type', 'image/png'],
    ['name', 'twitter:card', 'summary_large_image'],
    ['name', 'twitter:image', image.url],
  ])('has the tag %s="%s"', (attribute, name, content) => {
    expect(html).toContain(`<meta ${attribute}="${name}" content="${content}">`);
  });

  it('loads nothing but the image: no script, and its style by hash', () => {
    expect(html).not.toMatch(/<script|<link|<iframe|<form|\sstyle=|\son\w+=/);
    const style = /<style>(.*?)<\/style>/s.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      'img-src https://res.cloudinary.com',
      `style-src 'sha256-${hash}'`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it('has a style for each shape of image, and its hash', () => {
    const tall = createSharePage({ token, image: { ...image, width: 768, height: 1344 } }, config);
    expect(html).toContain('{--width:1248;--height:832}');
    expect(tall.html).toContain('{--width:768;--height:1344}');
    for (const page of [tall, missing]) expectStyleHash(page);
  });

  it('is small', () => {
    expect(Buffer.byteLength(html)).toBeLessThan(6_000);
  });

  it('is not for search engines unless the studio says so', () => {
    expect(headers['X-Robots-Tag']).toBe('noindex');
    expect(html).toContain('<meta name="robots" content="noindex">');
    const indexed = createSharePage({ token, image }, { ...config, sharedImagesIndexed: true });
    expect(indexed.headers).not.toHaveProperty('X-Robots-Tag');
    expect(indexed.html).not.toContain('noindex');
  });

  it('says so if the file has content credentials', () => {
    const withCredentials = { ...image, contentCredentials: 'present' as const };
    expect(createSharePage({ token, image: withCredentials }, config).html).toContain('content credentials');
    expect(html).not.toContain('content credentials');
  });

  it('escapes what is not its own', () => {
    const url = 'https://images.example/"><script>&';
    expect(createSharePage({ token, image: { ...image, url } }, config).html).not.toContain('"><script>');
  });
});

describe('the look of the pages', () => {
  const pages = [html, missing.html];

  it('has the mark of the studio', () => {
    const paths = readFileSync('web/icon.svg', 'utf8').match(/<(path|rect) [^>]*>/g) ?? [];
    expect(paths).toHaveLength(3);
    for (const page of pages) expect(page).toContain(paths.join(''));
  });

  it.each(['page', 'ink', 'quiet', 'sunken', 'focus'])('has the colours --%s of the studio', (name) => {
    const tokens = readFileSync('web/styles/tokens.css', 'utf8');
    const [, light, dark] = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(tokens) ?? [];
    for (const page of pages) {
      const values = [...page.matchAll(new RegExp(`--${name}:(#\\w+)`, 'g'))].map(([, value]) => value);
      expect(values).toEqual([light, dark]);
    }
  });

  it('leads from where there is no image to the studio, and loads no image', () => {
    expect(missing.html).toContain('href="https://studio.example/studio">Open the studio</a>');
    expect(missing.headers['Content-Security-Policy']).not.toContain('img-src');
    expect(missing.headers['X-Robots-Tag']).toBe('noindex');
  });
});

describe('the function', () => {
  let studio: ReturnType<typeof createMemoryStudio>;
  const get = (of: string | undefined) =>
    studio.get('sharedImage', of === undefined ? {} : { token: of }, '');
  beforeAll(() => {
    studio = createMemoryStudio({});
  });

  it('shows the copy, never the prompt, and nothing caches it', async () => {
    const { id } = (await studio.generate('k', { prompt: 'My secret' })).body.generation;
    const { shareUrl } = (await studio.call('share', { id, shared: true })).body.generation;
    const shared = shareUrl?.split('/').at(-1);
    const page = await get(shared);
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
    });
    expect(String(page.body)).toContain(`https://images.example/shares/${shared}`);
    expect(String(page.body)).not.toContain('My secret');
    expect(String(page.body)).not.toContain(id);
  });

  it('has one and the same page for what is private, deleted, removed, unfinished, spoilt, unknown or malformed', async () => {
    const create = async (key: string) => {
      const { id } = (await studio.generate(key)).body.generation;
      const { shareUrl } = (await studio.call('share', { id, shared: true })).body.generation;
      return { id, shared: shareUrl?.split('/').at(-1) };
    };
    const [one, two, three] = [await create('a'), await create('b'), await create('c')];
    await studio.call('share', { id: one.id, shared: false });
    await studio.deleteGeneration(two.id);
    const removal = { uid: 'ann', generationId: three.id, reason: 'a test' };
    await studio.call('takedown', removal, { as: 'admin:root' });
    const unfinished = 'u'.repeat(22);
    const data = { uid: 'ann', generationId: one.id, image: null, createdAt: new Date() };
    await (await studio.services.ledger()).database.commit([{ create: `shares/${unfinished}`, data }]);
    const spoilt = 's'.repeat(22);
    studio.edit(`shares/${spoilt}`, { ...data, image: 'text' });
    const tokens = [one.shared, two.shared, three.shared, unfinished, spoilt, token, '../a', '', undefined];
    const pages = await Promise.all(tokens.map(get));
    for (const page of pages) expect(page).toEqual(pages[0]);
    expect(pages[0]?.status).toBe(404);
    expect(String(pages[0]?.body)).toContain('There is no image here');
  });
});
