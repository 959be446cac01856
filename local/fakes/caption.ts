import type { Image, SKRSContext2D } from '@napi-rs/canvas';
import { drawCover } from './cover.ts';
import { registerFonts } from './fonts.ts';

export type Caption = {
  prompt: string;
  /** Shown above the prompt, crossed out. */
  parentPrompt?: string | undefined;
  /** Small text below the prompt. */
  details: string;
  /** Thumbnails; undefined is an empty frame. */
  references: readonly (Image | undefined)[];
};

const { bold, regular } = registerFonts();
const promptLines = 2;
/** More characters never fit into the lines. */
const charactersMax = 400;

/** Writes the prompt along the bottom of a picture. */
export function drawCaption(context: SKRSContext2D, caption: Caption): void {
  const { width, height } = context.canvas;
  const unit = Math.min(width, height);
  const size = Math.max(9, unit / 40);
  const margin = size * 1.3;
  const room = width - 2 * margin;
  context.font = `${size}px "${bold}"`;
  const lines = wrap(context, caption.prompt, room);
  const [parentLine] = caption.parentPrompt === undefined ? [] : wrap(context, caption.parentPrompt, room, 1);
  const textHeight = (lines.length + (parentLine === undefined ? 0 : 1)) * size * 1.35 + size * 1.1;
  const top = height - margin - textHeight;
  const backdrop = context.createLinearGradient(0, top - size * 4, 0, height);
  backdrop.addColorStop(0, 'rgba(6, 5, 18, 0)');
  backdrop.addColorStop(0.45, 'rgba(6, 5, 18, 0.4)');
  backdrop.addColorStop(1, 'rgba(6, 5, 18, 0.72)');
  context.fillStyle = backdrop;
  context.fillRect(0, top - size * 4, width, height - top + size * 4);
  context.textAlign = 'left';
  context.textBaseline = 'top';
  let y = top;
  if (parentLine !== undefined) {
    context.fillStyle = 'rgba(255, 255, 255, 0.6)';
    context.fillText(parentLine, margin, y);
    const long = context.measureText(parentLine).width;
    context.fillRect(margin - size * 0.2, y + size * 0.58, long + size * 0.4, Math.max(1, size / 11));
    y += size * 1.35;
  }
  context.fillStyle = 'rgba(255, 255, 255, 0.95)';
  for (const line of lines) {
    context.fillText(line, margin, y);
    y += size * 1.35;
  }
  context.font = `${size * 0.72}px "${regular}"`;
  context.fillStyle = 'rgba(255, 255, 255, 0.62)';
  context.fillText(caption.details, margin, y + size * 0.1);
  drawReferences(context, caption.references, {
    right: width - margin,
    bottom: top - size * 0.8,
    room,
    unit,
  });
}

/** Breaks the text into lines. The last one ends with an ellipsis if the text is longer. */
function wrap(context: SKRSContext2D, text: string, width: number, linesMax = promptLines): string[] {
  const fits = (line: string) => context.measureText(line).width <= width;
  const lines: string[] = [];
  let rest = [...text.trim().replace(/\s+/g, ' ')].slice(0, charactersMax);
  while (rest.length > 0 && lines.length < linesMax) {
    let count = rest.length;
    const isLast = lines.length === linesMax - 1;
    const mark = () => (isLast && count < rest.length ? '…' : '');
    while (count > 1 && !fits(rest.slice(0, count).join('') + mark())) count -= 1;
    // A line ends between two words, unless one word is longer than the line.
    const space = count < rest.length ? rest.lastIndexOf(' ', count) : -1;
    if (space > 0) count = space;
    lines.push(rest.slice(0, count).join('') + mark());
    rest = rest.slice(space > 0 ? count + 1 : count);
  }
  return lines;
}

function drawReferences(
  context: SKRSContext2D,
  references: Caption['references'],
  { right, bottom, room, unit }: { right: number; bottom: number; room: number; unit: number },
): void {
  const gap = unit * 0.014;
  const side = Math.min(unit * 0.13, room / Math.max(1, references.length) - gap);
  references.forEach((image, index) => {
    const x = right - (references.length - index) * (side + gap) + gap;
    const y = bottom - side;
    context.save();
    context.beginPath();
    context.roundRect(x, y, side, side, side * 0.12);
    context.clip();
    if (image) drawCover(context, image, { x, y, width: side, height: side });
    context.restore();
    context.strokeStyle = 'rgba(255, 255, 255, 0.85)';
    context.lineWidth = side / 40;
    context.stroke();
  });
}
