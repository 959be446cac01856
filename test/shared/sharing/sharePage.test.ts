/** The page of a shared image: what it shows, what it loads, and that all other addresses have the same page. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSharePage } from '../../../shared/sharing/sharePage.ts';
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

describe('the page', () => {
  it('shows the image, the AI mark and a link to report it', () => {
    expect(html).toContain(`<img src="${image.url}" width="1248" height="832"`);
    expect(html).toContain('<strong>Made with AI</strong>');
    expect(html).toContain(`href="https://studio.example/studio#/report/${token}"`);
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
