/** Google's durations in JSON. */

const unitMs: Record<string, number> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const form = /^(?:\d+(?:\.\d*)?(?:h|ms|us|µs|ns|m|s))+$/;
const terms = /(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)/g;

/**
 * The milliseconds of a google.protobuf.Duration: "45.7s" in JSON. Also reads what was seen in its place: "850ms",
 * "5h59m10s", and an object of `seconds` and `nanos`. Undefined for anything else.
 */
export function parseDurationMs(value: unknown): number | undefined {
  if (typeof value === 'string') {
    const text = value.trim();
    if (!form.test(text)) return undefined;
    return [...text.matchAll(terms)].reduce(
      (sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit as string] as number),
      0,
    );
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { seconds = 0, nanos = 0 } = value as { seconds?: unknown; nanos?: unknown };
  const milliseconds = Number(seconds) * 1_000 + Number(nanos) / 1e6;
  return Number.isFinite(milliseconds) ? milliseconds : undefined;
}
