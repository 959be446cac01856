/** What the pages of shared images have in common: the look of the studio, without a script, a font or a file. */
import { createHash } from 'node:crypto';

export type Page = { html: string; headers: Record<string, string> };

/** A page's own part. `isIndexed`: search engines may list the page. */
type Content = {
  isIndexed: boolean;
  publicUrl: string;
  head: string;
  main: string;
  footer?: string;
  /** The one image. The page loads images from no other origin. */
  image?: { url: string; width: number; height: number };
};

/**
 * The colours and sizes of web/styles/tokens.css. An older browser may open the page, hence no `light-dark()`.
 * The image is as wide as fits: in the window, in its own pixels, and in the height that header, caption and
 * footer leave. Its box is there before it is loaded. The small viewport height does not change while a phone scrolls.
 */
const style = `*{box-sizing:border-box}
:root{color-scheme:light dark;--page:#faf9f7;--ink:#191713;--quiet:#615b50;--sunken:#f0eee9;--focus:#1d4ed8;--window:100vh;font:450 16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;-webkit-text-size-adjust:100%;background:var(--page);color:var(--ink)}
@media (prefers-color-scheme:dark){:root{--page:#0e0d0c;--ink:#f5f2eb;--quiet:#aca598;--sunken:#262421;--focus:#8ab4ff}}
@supports (height:100svh){:root{--window:100svh}}
body{display:flex;flex-direction:column;min-height:var(--window);margin:0;padding:0 clamp(16px,2vw,24px)}
header{display:flex;align-items:center;min-height:3.75rem}
main{display:flex;flex:1;flex-direction:column;align-items:center;justify-content:center}
footer{padding:.75rem 0;text-align:center}
a{color:inherit}
a:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
h1,p,figure{margin:0}
h1{font-size:1.125rem;font-weight:600;line-height:1.3;letter-spacing:-.01em}
strong{font-weight:inherit}
p,footer{color:var(--quiet);font-size:.8125rem}
.brand{display:flex;align-items:center;gap:10px;font-weight:700;letter-spacing:-.01em;text-decoration:none}
.button{display:inline-flex;align-items:center;min-height:40px;padding:6px 16px;border-radius:12px;background:#ffd23f;color:#231b00;font-size:.9375rem;font-weight:600;text-decoration:none}
.button:hover{background:#ffdf75}
.report{display:inline-block;padding:4px 8px;text-underline-offset:3px}
.report:hover{color:var(--ink)}
figure{--room:max(var(--window) - 13rem,16rem);width:max(min(100%,20rem),min(100%,var(--width)*1px,var(--room)*var(--width)/var(--height)))}
img{display:block;width:100%;height:auto;max-height:var(--room);object-fit:contain;border-radius:12px;background:var(--sunken)}
figcaption{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:8px 16px;min-height:3rem;margin-top:12px}
.missing{gap:8px;padding-bottom:3.75rem;text-align:center}
.missing h1{font-size:1.5rem;font-weight:700;line-height:1.15;letter-spacing:-.02em}
.missing p{font-size:.9375rem}
.missing .button{margin-top:16px}`;

/** The same as web/icon.svg. */
const mark =
  '<svg width="32" height="32" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="9" fill="#1d1a12"/><path d="M8.3 6.1c1.5-.5 2.2.3 2.3 1.5.6 7.3 5.2 12 13 12.4 1.7.1 2.3 1.7 1 2.8C17 29 5 22.5 7.2 8.2c.1-1 .4-1.8 1.1-2.1z" fill="#ffd23f"/><path d="M21.5 5.5l1 2.9 2.9 1-2.9 1-1 2.9-1-2.9-2.9-1 2.9-1z" fill="#fff"/></svg>';

export function createPage({ isIndexed, publicUrl, head, main, footer, image }: Content): Page {
  const size = image ? `\nfigure{--width:${image.width};--height:${image.height}}` : '';
  const css = style + size;
  const hash = createHash('sha256').update(css).digest('base64');
  const images = image ? ` img-src ${new URL(image.url).origin};` : '';
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="theme-color" content="#faf9f7" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0e0d0c" media="(prefers-color-scheme: dark)">
${isIndexed ? '' : '<meta name="robots" content="noindex">\n'}${head}
<style>${css}</style>
</head>
<body>
<header><a class="brand" href="${escapeHtml(`${publicUrl}/studio`)}">${mark}Nano Banana Studio</a></header>
${main}
${footer ? `<footer>${footer}</footer>\n` : ''}</body>
</html>
`;
  const headers = {
    'Content-Security-Policy': `default-src 'none';${images} style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    ...(!isIndexed && { 'X-Robots-Tag': 'noindex' }),
  };
  return { html, headers };
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
