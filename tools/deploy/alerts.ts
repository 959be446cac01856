/**
 * The alerts on the functions' log. Each is a metric of Cloud Logging and a policy of Cloud Monitoring. The runbook of
 * each is in docs/deployment/operations.md, under its id.
 */
import { type JobName, lateAfterMinutes } from '../../shared/database/jobs.ts';

/** Fires if more than `count` lines arrive within `minutes`, or if no line arrives for `noneForMinutes`. */
export type Condition = { count: number; minutes: number } | { noneForMinutes: number };

export type Alert = {
  /** Also in the metric's name, and the heading of the runbook: lower-case letters, digits and `-`. */
  id: string;
  title: string;
  /** A Cloud Logging filter for the lines to count: comparisons joined by AND, nothing else. */
  filter: string;
  condition: Condition;
  /** The first thing to do, in Markdown, for the notification. */
  runbook: string;
};

/** An alert on log lines of the deployed functions. */
const alert = (id: string, title: string, lines: string, condition: Condition, first: string): Alert => ({
  id,
  title,
  filter: `resource.type="cloud_run_revision" AND ${lines}`,
  condition,
  runbook: `${first}\n\nFor more, see docs/deployment/operations.md#${id}.`,
});

/** An alert on a scheduled job that has finished no run in its time. `schedulerJob` is its name in Cloud Scheduler. */
const jobAlert = (id: string, title: string, job: JobName, schedulerJob: string): Alert =>
  alert(
    id,
    title,
    `jsonPayload.event="job_finished" AND jsonPayload.function="${job}"`,
    { noneForMinutes: lateAfterMinutes[job] },
    `Check the job \`${schedulerJob}\` in Cloud Scheduler, then the log of \`${job}\`.`,
  );

/** The alerts of a studio that sells credits. */
export const paymentAlerts: readonly Alert[] = [
  jobAlert(
    'payment-check-stopped',
    'The comparison with Stripe does not finish',
    'reconcilePayments',
    'reconcile-payments',
  ),
  alert(
    'webhook-refused',
    "Events of Stripe's webhook are refused",
    'jsonPayload.function="stripeWebhook" AND jsonPayload.outcome="refused"',
    { count: 5, minutes: 60 },
    'Compare the signing secret of the endpoint in the Stripe Dashboard with the secret `STRIPE_WEBHOOK_SECRET`. Nothing is lost: Stripe repeats an event for three days, and `reconcilePayments` finds what is left.',
  ),
  alert(
    'payment-mismatch',
    'A payment gives no credits',
    'jsonPayload.event="payment_mismatch"',
    { count: 0, minutes: 60 },
    'What was paid is not what was asked. Look at `jsonPayload.sessionId` in the Stripe Dashboard, then refund it or grant the credits.',
  ),
  alert(
    'payment-broken',
    'Credits were given without a payment',
    'jsonPayload.event="payment_broken"',
    { count: 0, minutes: 60 },
    'Stripe has no payment for `jsonPayload.sessionId` of `jsonPayload.uid`. Nothing was taken. Find out how the entry came about before you do.',
  ),
  alert(
    'payments-misconfigured',
    'Stripe refuses the secret key',
    'jsonPayload.event="payments_misconfigured"',
    { count: 0, minutes: 15 },
    'The key was replaced, or it is a restricted key that lacks a permission: the message says which. Nobody can buy until it is corrected.',
  ),
  alert(
    'payment-for-closed-account',
    'Somebody paid for a closed account',
    'jsonPayload.event="payment_for_closed_account"',
    { count: 0, minutes: 60 },
    'The payment was refunded at once. Check in the Stripe Dashboard that the refund of `jsonPayload.sessionId` succeeds.',
  ),
  alert(
    'payment-disputed',
    'A buyer disputes a payment',
    'jsonPayload.event="entry_committed" AND jsonPayload.entryId=~"^clawback:d[pu]_"',
    { count: 0, minutes: 60 },
    'The credits are taken and the account is suspended. Answer the dispute in the Stripe Dashboard before its deadline.',
  ),
  alert(
    'pack-not-sold',
    'A credit pack is not on sale',
    'jsonPayload.event="pack_not_sold"',
    { count: 0, minutes: 60 },
    'The price `jsonPayload.priceId` of the pack `jsonPayload.pack` is missing or inactive at Stripe. Activate it there, or change `CREDIT_PACKS`.',
  ),
];

/** The alerts of every studio. */
export const alerts: readonly Alert[] = [
  alert(
    'errors',
    'A function logged an error',
    'severity>=ERROR',
    { count: 0, minutes: 5 },
    "See the lines in the Logs Explorer or in Error Reporting. An ERROR is always our fault, never a user's.",
  ),
  alert(
    'failures',
    'Many requests fail',
    'jsonPayload.outcome="failed"',
    { count: 20, minutes: 5 },
    'Group the lines by `jsonPayload.function` and `jsonPayload.reason`. The reason shows which part fails.',
  ),
  alert(
    'slow',
    'Images take too long',
    'jsonPayload.function="generate" AND jsonPayload.durationMs>=90000',
    { count: 5, minutes: 15 },
    'Compare `holdMs`, `generateImageMs`, `storeMs` and `settleMs` in these lines to find the slow part.',
  ),
  alert(
    'refunds',
    'Many images are refunded',
    'jsonPayload.event="entry_committed" AND jsonPayload.type="refund"',
    { count: 20, minutes: 10 },
    'No user has lost credits. Group the lines by `jsonPayload.reason` to see what fails.',
  ),
  alert(
    'holds-overdue',
    'Images are refunded after their deadline',
    'jsonPayload.event="entry_committed" AND jsonPayload.type="refund" AND jsonPayload.reason="EXPIRED"',
    { count: 5, minutes: 10 },
    'Workers die before they can settle or refund. Check the restarts and the memory of `generate`.',
  ),
  jobAlert('sweep-stopped', 'The sweep does not finish', 'sweepHolds', 'sweep-holds'),
  jobAlert('quota-check-stopped', 'The check of quotas does not finish', 'checkQuota', 'check-quota'),
  jobAlert('refill-stopped', 'Allowances are not refilled', 'refillAllowances', 'refill-allowances'),
  jobAlert('reconcile-stopped', 'The daily check of accounts does not finish', 'reconcile', 'reconcile'),
  alert(
    'auth-unavailable',
    'Callers cannot be verified',
    'jsonPayload.event="auth_unavailable"',
    { count: 2, minutes: 10 },
    "Google's keys, or the users of Firebase Authentication, cannot be read. `jsonPayload.cause` says why.",
  ),
  alert(
    'outbox',
    'Images cannot be deleted',
    'jsonPayload.event="image_not_deleted"',
    { count: 10, minutes: 30 },
    'Check that the Cloudinary account exists and that the secret is correct.',
  ),
  alert(
    'closings',
    'An account cannot be closed',
    'jsonPayload.event="closing_overdue"',
    { count: 0, minutes: 60 },
    '`jsonPayload.uid` and `jsonPayload.step` show where it stopped a day ago. The user waits for the erasure.',
  ),
  alert(
    'erasure-log',
    'Erasures cannot be logged',
    'jsonPayload.event="erasure_not_logged"',
    { count: 5, minutes: 30 },
    'Check the bucket `ERASURE_LOG_BUCKET`, and that `studio-sweep-holds` may create objects in it.',
  ),
  alert(
    'quota-gone',
    'No model is available',
    'jsonPayload.function="generate" AND jsonPayload.reason="PROVIDER_QUOTA"',
    { count: 5, minutes: 5 },
    'No user is charged. Call `checkQuota`, or open `quota` in Firestore, to see which models are exhausted and until when.',
  ),
  alert(
    'billing-stopped',
    'A model has stopped for billing',
    'jsonPayload.event="model_state_changed" AND jsonPayload.reason="billing"',
    { count: 0, minutes: 5 },
    'Check the billing account of the project that owns the Gemini key.',
  ),
  alert(
    'model-retired',
    'A model is retired',
    'jsonPayload.event="model_not_found"',
    { count: 0, minutes: 5 },
    'Set `IMAGEGEN_MODEL_ID` to the successor that `health` names, and deploy.',
  ),
  alert(
    'spend-ceiling',
    'The daily spend ceiling is reached',
    'jsonPayload.function="generate" AND jsonPayload.reason="SPEND_CEILING"',
    { count: 0, minutes: 15 },
    'The studio generates no images until midnight UTC. Raise `MAX_SPEND_PER_DAY_USD` if the spending is legitimate.',
  ),
  alert(
    'account-broken',
    'An account does not add up',
    'jsonPayload.event="account_broken"',
    { count: 0, minutes: 60 },
    '`jsonPayload.uid` and `jsonPayload.differences` show where. Change nothing before you understand the cause.',
  ),
  alert(
    'balance-invalid',
    'The balance of an account is not a whole number, or its sequence is wrong',
    'jsonPayload.event="account_invalid"',
    { count: 0, minutes: 60 },
    'An admin typed it into the console. Correct the field `jsonPayload.field` of `jsonPayload.uid`; the message says what is wrong.',
  ),
];
