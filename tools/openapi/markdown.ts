/** The reference as GitHub Flavored Markdown. */
import type { Block } from './reference.ts';

export function markdown(blocks: Block[]): string {
  return `${blocks.map(blockText).join('\n\n')}\n`;
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.text}`;
    case 'text':
      return block.text;
    case 'table':
      return [block.head, block.head.map(() => '-'), ...block.rows].map(rowText).join('\n');
    case 'http':
      return `\`\`\`http\n${block.text}\n\`\`\``;
    case 'details':
      return `<details${block.isOpen ? ' open' : ''}><summary>${block.summary}</summary>\n\n${block.blocks.map(blockText).join('\n\n')}\n\n</details>`;
  }
}

const rowText = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
