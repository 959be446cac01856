/**
 * What somebody is told of, by what the log says: one metric of Cloud Logging and one policy of Cloud Monitoring
 * each. What each means and what to do is in docs/deployment/operations.md, under its id.
 */

/** Told when more than `count` lines came within `minutes`; or when none came for so long. */
export type Condition = { count: number; minutes: number } | { noneForMinutes: number };

export type Alert = {
  /** Also the metric's name, and the heading of its runbook: lower case, digits and `-`. */
  id: string;
  title: string;
  /** Of Cloud Logging: the lines that count; comparisons joined by AND, and nothing else. */
  filter: string;
  condition: Condition;
  /** What to do first, in Markdown; stands in the message. */
  runbook: string;
};

/** An alert on lines of the deployed functions. */
const alert = (id: string, title: string, lines: string, condition: Condition, first: string): Alert => ({
  id,
  title,
  filter: `resource.type="cloud_run_revision" AND ${lines}`,
  condition,
  runbook: `${first}\n\nMore under docs/deployment/operations.md#${id}.`,
});

export const alerts: readonly Alert[] = [
  alert(
    'errors',
    'A function logged an error',
    'severity>=ERROR',
    { count: 0, minutes: 5 },
    'Look at the lines in the Logs Explorer, or at Error Reporting: an ERROR is always ours, never a user of the studio.',
  ),
  alert(
    'failures',
    'Many requests fail',
    'jsonPayload.outcome="failed"',
    { count: 20, minutes: 5 },
    'Group the lines by `jsonPayload.function` and `jsonPayload.reason`; the reason names the part that fails.',
  ),
  alert(
    'slow',
    'Images take long',
    'jsonPayload.function="generate" AND jsonPayload.durationMs>=90000',
    { count: 5, minutes: 15 },
    'Compare `holdMs`, `generateImageMs`, `storeMs` and `settleMs` of these lines: they tell which part is slow.',
  ),
  alert(
    'refunds',
    'Many images are refunded',
    'jsonPayload.message="credits: refund"',
    { count: 20, minutes: 10 },
    'Nobody has lost credits. Group the lines by `jsonPayload.reason` to see what fails.',
  ),
  alert(
    'holds-overdue',
    'Images are left behind and refunded late',
    'jsonPayload.message="credits: refund" AND jsonPayload.reason="EXPIRED"',
    { count: 5, minutes: 10 },
    'Workers die before they can settle or refund: look for restarts and memory of `generate`.',
  ),
  alert(
    'sweep-stopped',
    'The sweep does not run',
    'jsonPayload.message="sweepHolds: ok"',
    { noneForMinutes: 10 },
    'Look at the job `sweepHolds` in Cloud Scheduler, then at the lines of `sweepHolds`.',
  ),
  alert(
    'outbox',
    'Images cannot be deleted',
    'jsonPayload.message="An image could not be deleted yet"',
    { count: 10, minutes: 30 },
    'Look at the account of Cloudinary: is it there, is the secret the right one?',
  ),
  alert(
    'quota-gone',
    'No model can be asked',
    'jsonPayload.function="generate" AND jsonPayload.reason="PROVIDER_QUOTA"',
    { count: 5, minutes: 5 },
    'Nobody is charged. Call `checkQuota`, or look at `quota` in Firestore, for which model is out and until when.',
  ),
  alert(
    'billing-stopped',
    'A model wants to be paid',
    'jsonPayload.message="A model changed its state" AND jsonPayload.reason="billing"',
    { count: 0, minutes: 5 },
    "Look at the billing account of the project that Gemini's key belongs to.",
  ),
  alert(
    'model-retired',
    'A model is gone',
    'jsonPayload.message="A model changed its state" AND jsonPayload.reason="retired"',
    { count: 0, minutes: 5 },
    'Set `IMAGEGEN_MODEL_ID` to its successor, which `health` names, and deploy.',
  ),
  alert(
    'spend-ceiling',
    'The spend ceiling of the day is reached',
    'jsonPayload.function="generate" AND jsonPayload.reason="SPEND_CEILING"',
    { count: 0, minutes: 15 },
    'Painting stops until midnight UTC. Raise `MAX_SPEND_PER_DAY_USD` if what was spent is well spent.',
  ),
  alert(
    'account-broken',
    'An account does not add up',
    'severity>=ERROR AND jsonPayload.message="An account does not add up"',
    { count: 0, minutes: 60 },
    '`jsonPayload.uid` and `jsonPayload.differences` tell where. Change nothing before it is understood.',
  ),
  alert(
    'balance-invalid',
    'An account holds no whole number of credits',
    'jsonPayload.message="An account holds no whole number of credits"',
    { count: 0, minutes: 60 },
    'Somebody has typed it into the console: put a whole number into `balance`, or `adjust`, of `jsonPayload.uid`.',
  ),
];
