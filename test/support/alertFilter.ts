/** The filters of Cloud Logging, as far as alerts use them. */
import type { Alert } from '../../tools/deploy/alerts.ts';

/** A line in Cloud Logging's form: `severity` is a separate field, all others are in the payload. */
function toEntry({ severity, ...jsonPayload }: Record<string, unknown>) {
  return { severity, resource: { type: 'cloud_run_revision' }, jsonPayload };
}

const severities = ['DEFAULT', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'];

/** True if the filter matches the entry. @throws {Error} unless the filter is comparisons joined by AND. */
function matchesFilter(filter: string, entry: object): boolean {
  return filter.split(' AND ').every((comparison) => {
    const [, path, op, quoted, bare] = /^([\w.]+)(=~|=|>=)(?:"([^"]*)"|([\w.]+))$/.exec(comparison) ?? [];
    if (!path) throw new Error(`The test cannot parse this comparison: ${comparison}`);
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], entry);
    if (op === '=~') return new RegExp(quoted ?? '').test(String(value));
    if (op === '=') return value === (quoted ?? Number(bare));
    if (path === 'severity') return severities.indexOf(String(value)) >= severities.indexOf(String(bare));
    return typeof value === 'number' && value >= Number(bare);
  });
}

type Line = Record<string, unknown>;

/** The ids of the alerts that a line matches. Their thresholds do not count. */
export const findFiredAlerts = (alerts: readonly Alert[], lines: readonly Line[]): string[] =>
  alerts
    .filter(({ filter }) => lines.some((line) => matchesFilter(filter, toEntry(line))))
    .map(({ id }) => id);
