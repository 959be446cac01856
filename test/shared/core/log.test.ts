/** The format of log lines, and that no line shows a secret. */
import { describe, expect, it } from 'vitest';
import { getSecrets, parseConfig } from '../../../shared/config/config.ts';
import { createLog, withFields } from '../../../shared/core/log.ts';
import { requestFields } from '../../../shared/http/trace.ts';

const key = 'AIzaSyCanaryCanaryCanaryCanary';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

function logTo() {
  const lines: string[] = [];
  const origin = { service: 'generate', version: 'generate-00042', secrets: [key] };
  const log = createLog((line) => void lines.push(line), origin);
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') };
}

describe('a line', () => {
  it('is one line of JSON with severity, time, message and fields', () => {
    const { log, lines, last } = logTo();
    log.warning('two\nlines', { uid: 'ada' });
    expect(lines[0]).toMatch(/^\{.*\}\n$/);
    expect(last()).toEqual({
      severity: 'WARNING',
      message: 'two\nlines',
      uid: 'ada',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it('for an error has what Error Reporting needs, with the stacks of its causes', () => {
    const { log, last } = logTo();
    log.error('It failed', { error: new Error('outer', { cause: new TypeError('inner') }) });
    expect(last()).toMatchObject({
      severity: 'ERROR',
      '@type': expect.stringContaining('ReportedErrorEvent'),
      serviceContext: { service: 'generate', version: 'generate-00042' },
      stack_trace: expect.stringMatching(
        /^Error: outer\n {4}at [\s\S]*\nCaused by: TypeError: inner\n {4}at /,
      ),
    });
    log.error('No exception at all');
    expect(last()).not.toHaveProperty('stack_trace');
  });

  it('shows neither a secret nor a token in any field', () => {
    const { log, lines } = logTo();
    const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl_-x';
    const unsigned = 'eyJhbGciOiJub25lIn0x.eyJzdWIiOiJhZGEifQ.';
    log.error(`message ${key}`, { at: `https://x/?key=${key}`, error: new Error(`Bearer ${token}`) });
    log.info('quoted', { [key]: unsigned });
    expect(lines.join('')).not.toMatch(/AIzaSy|eyJ/);
    expect(lines.join('')).toContain('[secret]');
    expect(lines.join('')).toContain('[token]');
  });

  it('is written whatever was thrown', () => {
    const { log, lines, last } = logTo();
    const circular = new Error('outer');
    circular.cause = new Error('inner', { cause: circular });
    for (const error of [Object.create(null), null, Symbol('s'), circular]) log.error('It failed', { error });
    expect(lines).toHaveLength(4);
    expect(JSON.parse(lines[0] ?? '').stack_trace).toBe('A thrown object without a text');
    expect(last().stack_trace).toMatch(/^Error: outer\n[\s\S]*Caused by: Error: inner\n/);
  });

  it('is written even if a field cannot be serialised', () => {
    const { log, last } = logTo();
    log.error('An account does not add up', { balance: 1n });
    expect(last()).toMatchObject({ severity: 'ERROR', message: 'An account does not add up' });
  });

  it('has the fields of its request, even if two requests run at once', async () => {
    const { log, lines } = logTo();
    const work = async (name: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      log.info(name);
    };
    await Promise.all(['a', 'b'].map((name) => withFields({ of: name }, () => work(name))));
    log.info('afterwards');
    const fields = lines.map((line) => JSON.parse(line)).map(({ message, of }) => [message, of]);
    expect(fields).toEqual([
      ['a', 'a'],
      ['b', 'b'],
      ['afterwards', undefined],
    ]);
  });
});

it('masks a key that was saved with a line break at its end', () => {
  const lines: string[] = [];
  const config = parseConfig({ GOOGLE_CLOUD_PROJECT: 'demo', GEMINI_API_KEY: `${key}\n` });
  createLog((line) => void lines.push(line), { ...config, secrets: getSecrets(config) }).info(`?key=${key}`);
  expect(JSON.parse(lines[0] ?? '').message).toBe('?key=[secret]');
});

it('does not mask keys that are too short to be real', () => {
  const config = (apiKey: string, secret: string) =>
    parseConfig({
      GOOGLE_CLOUD_PROJECT: 'demo',
      GEMINI_API_KEY: apiKey,
      CLOUDINARY_URL: `cloudinary://1:${secret}@cloud`,
    });
  expect(getSecrets(config(key, 'abcdefghijklmnop%2Fqrst-uvw'))).toEqual([
    key,
    'abcdefghijklmnop%2Fqrst-uvw',
    'abcdefghijklmnop/qrst-uvw',
  ]);
  expect(getSecrets(config('fake-key', 'short'))).toEqual([]);
});

describe('the fields of a request', () => {
  const getFields = (headers: Record<string, string>) => {
    const { 'logging.googleapis.com/labels': labels, ...fields } = requestFields(headers, 'project');
    return { labels, ...fields } as Record<string, unknown>;
  };
  const full = 'logging.googleapis.com/trace';
  const span = 'logging.googleapis.com/spanId';
  const sampled = 'logging.googleapis.com/trace_sampled';

  it.each([
    [
      { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
      { [full]: `projects/project/traces/${trace}`, [span]: '00f067aa0ba902b7', [sampled]: true },
    ],
    [
      { 'x-cloud-trace-context': `${trace}/67667974448284343;o=0` },
      { [full]: `projects/project/traces/${trace}`, [span]: '00f067aa0ba902b7', [sampled]: false },
    ],
    [{ 'x-cloud-trace-context': trace }, { [full]: `projects/project/traces/${trace}` }],
    [{ traceparent: 'nonsense', 'x-cloud-trace-context': '../../x' }, {}],
    [{}, {}],
  ])('of %j', (headers, expected) => {
    const { labels, ...fields } = getFields(headers as Record<string, string>);
    expect(fields).toEqual(expected);
    expect(labels).toEqual({ execution_id: expect.stringMatching(/^[\w-]{10,}$/) });
  });

  it("have the framework's execution id if it is valid", () => {
    expect(getFields({ 'function-execution-id': 'abc123def456' }).labels).toEqual({
      execution_id: 'abc123def456',
    });
    expect(JSON.stringify(getFields({ 'function-execution-id': 'a b\n"c' }))).not.toContain('a b');
  });
});
