/** The table of results, for the terminal and for docs/audit/performance.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { getRatio, isMet, type Row } from './stats.ts';

const [begin, end] = ['<!-- bench: begin -->', '<!-- bench: end -->'];

/** The table in Markdown, below a sentence with the command, the machine and its load. */
export function formatTable(rows: readonly Row[], runs: number, command: string): string {
  const lines = rows.map((row) => {
    const { name, unit, ours, other, against, note } = row;
    const met = isMet(row);
    const verdict = met === undefined ? '' : met ? 'yes' : '**no**';
    const cells = [
      note ? `${name} (${note})` : name,
      `${formatFigure(ours)} ${unit}`,
      `${against}: ${formatFigure(other)} ${unit}`,
      formatFigure(getRatio(row)),
      formatGoal(row),
      verdict,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const machine = `${os.availableParallelism()} cores (${os.cpus()[0]?.model ?? 'unknown'}), ${os.type()}, Node ${process.version}`;
  return [
    `Medians of ${runs} interleaved runs of \`${command}\` on ${machine}. The load average before the run was ${loadBefore}.`,
    '',
    '| what | ours | against | ratio | goal | met |',
    '|-|-:|-:|-:|-:|-|',
    ...lines,
  ].join('\n');
}

// A busy machine makes the figures less reliable.
const loadBefore = os.loadavg()[0]?.toFixed(1);

const formatFigure = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function formatGoal({ goal }: Row): string {
  if (!goal) return '';
  return 'most' in goal ? `≤ ${goal.most}` : `≥ ${goal.least}`;
}

/** Writes the table between the markers of a page. @throws {Error} if the page has no markers. */
export function writeTable(file: string, table: string): void {
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no markers for the table`);
  writeFileSync(file, `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`);
}
