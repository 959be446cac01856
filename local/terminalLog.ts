/** The log as a person at a terminal reads it: one short coloured line for each of its lines of JSON. */

type Line = Record<string, unknown>;

/** Said by the line's own words already, or of use to Cloud Logging alone. */
const hiddenFields = new Set([
  'severity',
  'time',
  'message',
  'function',
  'outcome',
  'stack_trace',
  'serviceContext',
  '@type',
]);
const colours: Record<string, number> = { INFO: 32, WARNING: 33, ERROR: 31 };

/** What takes the lines of the log: formatted where `out` is a terminal, as they are elsewhere. */
export function logWriter(
  out: { isTTY?: boolean; write(text: string): unknown },
  env: Record<string, string | undefined>,
): (line: string) => void {
  if (!out.isTTY) return (line) => void out.write(line);
  // https://no-color.org: set to anything but nothing.
  const isColoured = !env.NO_COLOR;
  return (line) => void out.write(`${formatLine(line, isColoured)}\n`);
}

/** One line of the log for a person; what is no JSON stays as it is. */
export function formatLine(text: string, isColoured: boolean): string {
  const line = parseLine(text);
  if (!line) return text.trimEnd();
  const colourize = (code: number, what: string) => (isColoured ? `\u001b[${code}m${what}\u001b[0m` : what);
  const { severity = '', time = '', message = '', stack_trace: stack } = line as Record<string, string>;
  const at = time.slice(11, 19);
  const fields = Object.entries(line)
    .filter(
      ([name, value]) =>
        !hiddenFields.has(name) && !name.startsWith('logging.googleapis.com/') && value !== null,
    )
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const first = [colourize(2, at), colourize(colours[severity] ?? 0, severity.padEnd(7)), message];
  if (fields.length > 0) first.push(colourize(2, fields.join(' ')));
  return stack ? `${first.join(' ')}\n${colourize(2, stack.replace(/^/gm, '    '))}` : first.join(' ');
}

function parseLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as Line) : undefined;
  } catch {
    return undefined;
  }
}
