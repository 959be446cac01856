/** At a terminal the log is formatted for a person. Elsewhere it stays JSON. */
import { describe, expect, it } from 'vitest';
import { formatLine, logWriter } from '../../local/terminalLog.ts';

const line = `${JSON.stringify({
  severity: 'WARNING',
  time: '2026-11-23T01:02:03.456Z',
  message: 'generate: STORAGE_ERROR',
  'logging.googleapis.com/labels': { execution_id: 'x' },
  function: 'generate',
  outcome: 'failed',
  status: 502,
  generateImageMs: 900,
  tier: 'standard',
})}\n`;
const plain = '01:02:03 WARNING generate: STORAGE_ERROR status=502 generateImageMs=900 tier=standard';

function format(isTTY: boolean, env: Record<string, string>): string {
  let text = '';
  logWriter({ isTTY, write: (more: string) => (text += more) }, env)(line);
  return text;
}

describe('a log line', () => {
  it('is short and coloured at a terminal', () => {
    const text = format(true, {});
    expect(text).toContain('\u001b[33mWARNING\u001b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of.
    expect(text.replace(/\u001b\[\d+m/g, '')).toBe(`${plain}\n`);
  });

  it('has no colour with NO_COLOR, unless NO_COLOR is empty', () => {
    expect(format(true, { NO_COLOR: '1' })).toBe(`${plain}\n`);
    expect(format(true, { NO_COLOR: '' })).toContain('\u001b[');
  });

  it('stays JSON without a terminal', () => {
    expect(format(false, {})).toBe(line);
  });

  it('has its stack trace below, and text that is not JSON stays unchanged', () => {
    const error = JSON.stringify({
      severity: 'ERROR',
      message: 'm',
      time: '',
      stack_trace: 'Error: e\n    at x',
    });
    expect(formatLine(error, false)).toBe(' ERROR   m\n    Error: e\n        at x');
    expect(formatLine('a warning of Node\n', true)).toBe('a warning of Node');
  });
});
