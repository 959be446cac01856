/** What somebody is told of, by what the log says: one metric and one policy of Cloud Monitoring each. */

/** Told when more than `count` lines came within `minutes`; or when none came for so long. */
export type Condition = { count: number; minutes: number } | { noneForMinutes: number };

export type Alert = {
  /** Also the metric's name: lower case, digits and `-`. */
  id: string;
  title: string;
  /** Of Cloud Logging: the lines that count. */
  filter: string;
  condition: Condition;
  /** What to do, in Markdown; stands in the message. */
  runbook: string;
};

export const alerts: readonly Alert[] = [
  {
    id: 'errors',
    title: 'A function logged an error',
    filter: 'resource.type="cloud_run_revision" AND severity>=ERROR',
    condition: { count: 0, minutes: 5 },
    runbook: 'Look at the lines in the Logs Explorer: an ERROR is always ours, never a user of the studio.',
  },
];
