/** The two plots, on a white card, so that they are readable on a light and on a dark page. */
import type { Throughput } from './rows/load.ts';
import { type Steps, stepNames } from './rows/warm.ts';

const [width, height] = [720, 360];
const ink = '#24292f';
const faint = '#d0d7de';
// Distinguishable for colour-blind readers.
const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9'] as const;
const names = {
  ours: 'ours',
  usual: 'usual',
  floorLibrary: 'floor, client',
  floor: 'floor',
  hello: '',
};

/** One bar per kind of server, with one piece per step. */
export function stepsPlot(steps: Steps): string {
  const [left, right, top, bar] = [150, 680, 90, 34];
  const sums = steps.map(({ milliseconds }) => milliseconds.reduce((sum, each) => sum + each, 0));
  const scale = createAxis(Math.max(...sums));
  const x = (ms: number) => left + (ms / scale.most) * (right - left);
  const bottom = top + steps.length * (bar + 14);
  const bars = steps.map(({ kind, milliseconds }, row) => {
    const y = top + row * (bar + 14);
    let at = 0;
    const chunks = milliseconds.map((ms, step) => {
      const piece = `<rect x="${x(at).toFixed(1)}" y="${y}" width="${(x(ms) - left).toFixed(1)}" height="${bar}" fill="${colours[step]}"><title>${stepNames[step]}: ${ms.toFixed(2)} ms</title></rect>`;
      at += ms;
      return piece;
    });
    const sum = `<text x="${x(at) + 6}" y="${y + 22}">${at.toFixed(1)} ms</text>`;
    return `<text x="${left - 10}" y="${y + 22}" text-anchor="end">${names[kind]}</text>${chunks.join('')}${sum}`;
  });
  const legend = stepNames.map(
    (name, i) =>
      `<rect x="${20 + i * 138}" y="48" width="12" height="12" fill="${colours[i]}"/><text x="${38 + i * 138}" y="59">${name}</text>`,
  );
  const ticks = scale.ticks.map(
    (ms) =>
      `<path d="M${x(ms)} ${top - 8}V${bottom}" stroke="${faint}"/><text x="${x(ms)}" y="${bottom + 18}" text-anchor="middle">${ms}</text>`,
  );
  const title = 'One generate, warm, instant upstreams: median milliseconds by step';
  return createCard(title, [...ticks, ...legend, ...bars]);
}

/** Clients in powers of two along the bottom. */
export function throughputPlot(points: Throughput): string {
  const [left, right, top, bottom] = [70, 600, 60, 310];
  const scale = createAxis(Math.max(...points.flatMap(({ ours, usual }) => [ours, usual])));
  const last = Math.log2(points.at(-1)?.clients ?? 2);
  const x = (clients: number) => left + (Math.log2(clients) / last) * (right - left);
  const y = (rate: number) => bottom - (rate / scale.most) * (bottom - top);
  const ticks = scale.ticks.map(
    (rate) =>
      `<path d="M${left} ${y(rate)}H${right}" stroke="${faint}"/><text x="${left - 10}" y="${y(rate) + 4}" text-anchor="end">${rate}</text>`,
  );
  const clients = points.map(
    (point) =>
      `<text x="${x(point.clients)}" y="${bottom + 20}" text-anchor="middle">${point.clients}</text>`,
  );
  const ends = points.at(-1);
  const higher = ends && ends.usual > ends.ours ? 'usual' : 'ours';
  const lines = (['ours', 'usual'] as const).map((kind, i) => {
    const at = points.map((point) => `${x(point.clients).toFixed(1)},${y(point[kind]).toFixed(1)}`);
    const dots = points.map(
      (point) =>
        `<circle cx="${x(point.clients)}" cy="${y(point[kind])}" r="4" fill="${colours[i]}"><title>${kind}, ${point.clients} clients: ${point[kind].toFixed(1)}/s</title></circle>`,
    );
    const end = ends?.[kind] ?? 0;
    // Labels beside the ends of the lines, without overlap.
    const label = `<text x="${right + 10}" y="${y(end) + (kind === higher ? -4 : 14)}" style="fill:${colours[i]}">${kind} ${end.toFixed(0)}/s</text>`;
    return `<polyline points="${at.join(' ')}" fill="none" stroke="${colours[i]}" stroke-width="2.5"/>${dots.join('')}${label}`;
  });
  const below = `<text x="${(left + right) / 2}" y="${bottom + 40}" text-anchor="middle">clients, each on an account of its own</text>`;
  return createCard('Generations a second, upstreams of 200 ms each', [
    ...ticks,
    ...clients,
    ...lines,
    below,
  ]);
}

/** Round ticks from 0 past the highest value. */
function createAxis(highest: number): { most: number; ticks: number[] } {
  const rough = highest / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const count = Math.ceil((highest * 1.12) / step);
  const ticks = Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)));
  return { most: count * step, ticks };
}

function createCard(title: string, content: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">
<style>text{font:13px system-ui,sans-serif;fill:${ink}}</style>
<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>
<text x="20" y="30" style="font-size:15px;font-weight:600">${title}</text>
${content.join('\n')}
</svg>
`;
}
