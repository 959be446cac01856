/** The reference as an HTML page without scripts, so that it works under any policy. */
import type { Block } from './reference.ts';
import { toAnchor } from './types.ts';

/** Allows only the style sheet. It is in the page because a host may send no policy. */
const policy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";

/** @param style the address of the style sheet. */
export function page(blocks: Block[], style: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<title>API reference – nano-banana-studio</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<nav aria-label="Contents">
<p><a href="/openapi.json">openapi.json</a></p>
<ul>
${navigation(blocks)}
</ul>
</nav>
<main id="main">
${blocks.map(blockHtml).join('\n')}
</main>
</body>
</html>
`;
}

function navigation(blocks: Block[]): string {
  const headings = blocks.flatMap((block) =>
    block.kind === 'heading' && block.level === 2 ? [block.text] : [],
  );
  return headings.map((text) => `<li><a href="#${toAnchor(text)}">${headingHtml(text)}</a></li>`).join('\n');
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'heading': {
      const [anchor, tag] = [toAnchor(block.text), `h${block.level}`];
      // Small headings repeat in each function, so they get no anchor.
      if (block.level === 4) return `<h3 class="part">${headingHtml(block.text)}</h3>`;
      return `<${tag} id="${anchor}"><a href="#${anchor}">${headingHtml(block.text)}</a></${tag}>`;
    }
    case 'text':
      return `<p>${inline(block.text)}</p>`;
    case 'table':
      return tableHtml(block.head, block.rows);
    case 'http':
      return `<pre tabindex="0"><code>${highlight(block.text)}</code></pre>`;
    case 'details':
      return `<details${block.isOpen ? ' open' : ''}><summary>${inline(block.summary)}</summary>${block.blocks.map(blockHtml).join('\n')}</details>`;
  }
}

/** Marks the method in a function's heading. */
function headingHtml(text: string): string {
  return escapeHtml(text).replace(/^(GET|POST) \/(.+)$/, '<span class="$1">$1</span> /$2');
}

function tableHtml(head: string[], rows: string[][]): string {
  const headings = head.map((cell) => `<th scope="col">${inline(cell)}</th>`).join('');
  const cellHtml = (cell: string, i: number) =>
    `<td data-label="${escapeHtml(head[i] ?? '')}">${inline(cell)}</td>`;
  const lines = rows.map((cells) => `<tr>${cells.map(cellHtml).join('')}</tr>`);
  return `<table><thead><tr>${headings}</tr></thead><tbody>${lines.join('\n')}</tbody></table>`;
}

/** Renders the Markdown that a text of the reference may have. */
function inline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\*([^*]+)\*/g, '<em>$1</em>')
    .replace(/\[([^\]]+)\]\((#[\w-]+)\)/g, (_, words, to) => `<a href="${to}">${words}</a>`);
}

/** Colours names and texts in a body, and sets off the first lines of request and response. */
function highlight(text: string): string {
  return escapeHtml(text)
    .replace(/(&quot;(?:[^&]|&(?!quot;))*&quot;)(:?)/g, (_, word, colon) =>
      colon ? `<span class="name">${word}</span>:` : `<span class="text">${word}</span>`,
    )
    .replace(/^(GET|POST|HTTP) .*$/gm, '<strong>$&</strong>');
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
