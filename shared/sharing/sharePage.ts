/** The page of a shared image: plain HTML without a script. */
import { createHash } from 'node:crypto';
import type { Image } from '../contract/generation.ts';
import { toShareUrl } from '../generation/record.ts';

export type Page = { html: string; headers: Record<string, string> };

const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:64rem;padding:1rem}
img{display:block;max-width:100%;height:auto;margin:0 auto;border-radius:.5rem}
footer{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;margin-top:1rem}`;
const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

const title = 'An image made with AI';
const description = 'Shared from the studio. This image was made with AI.';

/** @param imageOrigin the only origin that the page loads images from. */
function toPageHeaders(isIndexed: boolean, imageOrigin?: string): Record<string, string> {
  const images = imageOrigin ? ` img-src ${imageOrigin};` : '';
  return {
    'Content-Security-Policy': `default-src 'none';${images} style-src ${styleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    ...(!isIndexed && { 'X-Robots-Tag': 'noindex' }),
  };
}

function toHtml(isIndexed: boolean, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${isIndexed ? '' : '<meta name="robots" content="noindex">\n'}${head}
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`;
}

/** A share as its page shows it. The prompt is not part of it: it is the user's own. */
export type SharedImage = { token: string; image: Image };

/** @param options where the studio is reached, and whether search engines may list the page. */
export function createSharePage(
  { token, image }: SharedImage,
  { publicUrl, sharedImagesIndexed }: { publicUrl: string; sharedImagesIndexed: boolean },
): Page {
  const { url, mimeType, width, height, contentCredentials } = image;
  const meta = (attribute: 'name' | 'property', entries: Record<string, string | number>) =>
    Object.entries(entries).map(
      ([name, value]) => `<meta ${attribute}="${name}" content="${escapeHtml(String(value))}">`,
    );
  const head = [
    `<title>${title}</title>`,
    ...meta('name', { description }),
    ...meta('property', {
      'og:type': 'website',
      'og:title': title,
      'og:description': description,
      'og:url': toShareUrl(publicUrl, token),
      'og:image': url,
      'og:image:type': mimeType,
      'og:image:width': width,
      'og:image:height': height,
      'og:image:alt': title,
    }),
    ...meta('name', {
      'twitter:card': 'summary_large_image',
      'twitter:title': title,
      'twitter:description': description,
      'twitter:image': url,
      'twitter:image:alt': title,
    }),
  ];
  const credentials =
    contentCredentials === 'present' ? '<span>The file has content credentials (C2PA).</span>\n' : '';
  const body = `<main>
<h1>${title}</h1>
<img src="${escapeHtml(url)}" width="${width}" height="${height}" alt="${title}">
</main>
<footer>
<strong>Made with AI</strong>
${credentials}<a href="${escapeHtml(`${publicUrl}/studio#/report/${token}`)}" rel="nofollow">Report this image</a>
<a href="${escapeHtml(`${publicUrl}/studio`)}">Open the studio</a>
</footer>`;
  return {
    html: toHtml(sharedImagesIndexed, head.join('\n'), body),
    headers: toPageHeaders(sharedImagesIndexed, new URL(url).origin),
  };
}

/** The same bytes for an image that is private, deleted, removed or never was. */
export function createMissingPage(): Page {
  const head = '<title>There is no image here</title>';
  const body =
    '<main>\n<h1>There is no image here</h1>\n<p>It may have been made private or deleted.</p>\n</main>';
  return { html: toHtml(false, head, body), headers: toPageHeaders(false) };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
