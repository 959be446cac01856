/** Formats the JSON log for a terminal: one short coloured line for each line of JSON. */

export type LogLine = Record<string, unknown>;

/** Fields that the short line already shows, or that only Cloud Logging uses. */
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

/**
 * Returns a function that writes a log line: formatted if `out` is a terminal, otherwise unchanged.
 * @param isHidden true for a line that is not written.
 */
export function logWriter(
  out: { isTTY?: boolean; write(text: string): unknown },
  env: Record<string, string | undefined>,
  isHidden: (line: LogLine) => boolean = () => false,
): (line: string) => void {
  // https://no-color.org: any value but the empty string turns colours off.
  const isColoured = !env.NO_COLOR;
  return (text) => {
    const line = parseLine(text);
    if (line && isHidden(line)) return;
    out.write(out.isTTY ? `${formatLine(text, isColoured)}\n` : text);
  };
}

/** Formats one log line. Text that is not JSON stays unchanged. */
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

function parseLine(text: string): LogLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? (line as LogLine) : undefined;
  } catch {
    return undefined;
  }
}
