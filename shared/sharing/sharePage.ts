/** The page of a shared image: plain HTML without a script. */
import type { Image } from '../contract/generation.ts';
import { toShareUrl } from '../generation/record.ts';
import { createPage, escapeHtml, type Page } from './pageFrame.ts';

const title = 'An image made with AI';
const description = 'Shared from the studio. This image was made with AI.';

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
  const credentials = contentCredentials === 'present' ? '\n<p>Has content credentials (C2PA)</p>' : '';
  const main = `<main>
<figure>
<img src="${escapeHtml(url)}" width="${width}" height="${height}" alt="${title}">
<figcaption>
<div><h1><strong>Made with AI</strong></h1>${credentials}</div>
${toStudioLink(publicUrl, 'Make your own')}
</figcaption>
</figure>
</main>`;
  const report = escapeHtml(`${publicUrl}/studio#/report/${token}`);
  return createPage({
    isIndexed: sharedImagesIndexed,
    publicUrl,
    head: head.join('\n'),
    main,
    footer: `<a class="report" href="${report}" rel="nofollow">Report this image</a>`,
    image,
  });
}

/** The same bytes for an image that is private, deleted, removed or never was. */
export function createMissingPage({ publicUrl }: { publicUrl: string }): Page {
  const main = `<main class="missing">
<h1>There is no image here</h1>
<p>It may have been made private or deleted.</p>
${toStudioLink(publicUrl, 'Open the studio')}
</main>`;
  return createPage({ isIndexed: false, publicUrl, head: '<title>There is no image here</title>', main });
}

const toStudioLink = (publicUrl: string, text: string) =>
  `<a class="button" href="${escapeHtml(`${publicUrl}/studio`)}">${text}</a>`;
