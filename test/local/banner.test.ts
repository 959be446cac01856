/** The summary of a start shows what is fake, and in red what costs money. */
import { describe, expect, it } from 'vitest';
import { formatBanner } from '../../local/banner.ts';
import { type Endpoints, parseLocalConfig } from '../../local/environment.ts';

const fakes: Endpoints = {
  port: 8080,
  firestoreHost: '127.0.0.1:8085',
  authHost: '127.0.0.1:9099',
  gemini: { url: 'http://127.0.0.1:1', apiKey: 'fake' },
  cloudinary: { url: 'http://127.0.0.1:2', cloudinaryUrl: 'cloudinary://a:b@demo' },
  stripe: undefined,
};
const real = { ...fakes, gemini: undefined, cloudinary: undefined };
const options = { url: 'http://127.0.0.1:8080', console: undefined, isColoured: true };
const keys = { GEMINI_API_KEY: 'key', CLOUDINARY_URL: 'cloudinary://key:secret@cloud' };

describe('the summary', () => {
  it('has nothing red with fakes', () => {
    expect(formatBanner(parseLocalConfig({}), fakes, options)).not.toContain('\u001b');
  });

  it('says in red what an image of the real services costs', () => {
    const parts = formatBanner(parseLocalConfig(keys), real, options).split('\u001b[31m');
    const red = parts.slice(1).map((part) => part.split('\u001b[0m')[0]);
    expect(red).toEqual([
      expect.stringContaining('each image costs you money, about $0.039 at 1K with gemini-2.5-flash-image'),
      expect.stringContaining('the REAL account in CLOUDINARY_URL'),
    ]);
  });

  it('takes the cost from the catalogue, or from the configuration for another model', () => {
    const say = (env: NodeJS.ProcessEnv) =>
      formatBanner(parseLocalConfig({ ...keys, ...env }), real, { ...options, isColoured: false });
    expect(say({ IMAGEGEN_MODEL_ID: 'gemini-3-pro-image' })).toContain('about $0.134 at 1K with');
    expect(say({ IMAGEGEN_MODEL_ID: 'new', IMAGEGEN_MODEL_COSTS_USD: 'new=0.5' })).toContain(
      'about $0.500 at 1K with new',
    );
    expect(say({})).not.toContain('\u001b');
  });

  it('shows the address for a browser, and the console if it was asked for', () => {
    const url = 'https://blue-fox-8080.app.github.dev';
    const text = formatBanner(parseLocalConfig({}), fakes, {
      ...options,
      url,
      console: 'http://127.0.0.1:4000',
    });
    expect(text).toContain(`Studio      ${url}/studio\n`);
    expect(text).toContain('  Console     http://127.0.0.1:4000\n  Gemini');
  });
});
