/** The texts of the API's description: about the API, about each kind of caller, and about each function. */
import type { Reason } from '../../shared/errorReasons.ts';

/** The groups of functions, by their callers. */
export const groups = {
  anyone: 'For anyone',
  user: 'For users',
  admin: 'For admins',
  scheduler: 'For the scheduler',
} as const;

/** What each kind of caller has to send. */
export const callers = {
  anyone: 'Anyone. No token is needed.',
  user: 'A signed-in user: `Authorization: Bearer` with an ID token of Firebase Authentication.',
  admin:
    'An admin: a user with the custom claim `admin: true`, which Google confirms at each call, and a sign-in that is not revoked. Under `npm start`, `Bearer owner` on the same machine works too.',
  scheduler:
    'Cloud Scheduler: `Authorization: Bearer` with an OIDC token that Google signed for the configured service account and audience. Under `npm start`, `Bearer owner` on the same machine works too.',
} as const;

export const about = [
  'The requests, answers and errors of each function. Signed-in users pay for images with credits. Every function is an HTTP endpoint under its own name. Requests and answers are JSON, and there are no sessions. A function with GET answers HEAD too, without a body.',
  'A generation ends in exactly one of two ways: with an image that is paid for, or with a refund. `generate` takes an `Idempotency-Key`: the same request with the same key is never charged twice, whatever fails on the way.',
  'Answers may get new fields, and a client should ignore fields that it does not know. Requests with unknown fields are refused. Times are RFC 3339 in UTC. Credits are whole numbers.',
  "One function has no HTTP interface: Eventarc calls `accountWritten` with the event of a change to a Firestore document `accounts/{uid}`. It turns an admin's edit in the console into a ledger entry.",
];

type OperationText = {
  summary: string;
  description: string;
  /** The reasons of its errors, beside those that its method, its caller and its rate limit imply. */
  reasons: Reason[];
};

const untilTimeIsUsed =
  'It works until most of its time is used. The next call continues where this one stopped.';

export const operations: Record<string, OperationText> = {
  health: {
    summary: 'Check that this instance answers',
    description:
      'Calls nothing that costs money. `warnings` lists models that are retired or soon will be. `studio` has what a visitor may know before the sign-in.',
    reasons: [],
  },
  account: {
    summary: 'Get balance, prices and limits',
    description:
      "The caller's account, the tiers with their prices and sizes, the limits, and the terms. The first call creates the account, with the signup credits if there are any.",
    reasons: ['ACCOUNT_INVALID', 'DATABASE_UNAVAILABLE'],
  },
  ledger: {
    summary: "List the caller's ledger entries, newest first",
    description:
      'Every movement of credits: grants, debits, refunds, adjustments, allowances, purchases, and credits that refunded or disputed payments take or return. Entries never change. A correction is a new entry.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  enhance: {
    summary: 'Improve a prompt',
    description:
      'Asks a text model to improve a prompt. If the model is late or fails, the answer has the same prompt and `enhanced: false`. That is not an error. Costs no credits, but needs a verified e-mail address, or credits in the account.',
    reasons: [
      'ACCOUNT_CLOSED',
      'ACCOUNT_SUSPENDED',
      'TERMS_NOT_ACCEPTED',
      'EMAIL_NOT_VERIFIED',
      'PROVIDER_QUOTA',
      'SPEND_CEILING',
      'DATABASE_UNAVAILABLE',
    ],
  },
  generate: {
    summary: 'Generate an image',
    description:
      'Debits the price of the tier, generates and stores the image, and answers with it. If anything fails, the credits are refunded. This takes up to two minutes. A proxy that ends a request sooner (Firebase Hosting does after 60 s) ends only the request: call `generation` with the key, or `generate` again with the same key and body.\n\nThe same key and body again get the stored answer, with the header `Idempotent-Replayed: true`, and nothing is charged. While the generation is running they get 409 `IN_PROGRESS`. The same key with another body gets 422. A generation that failed after its debit gets the same failure again: a new try needs a new key. A request that was refused before any debit has not used its key.\n\nEvery answer of a generation that was debited has a `receipt`, errors too. A client that gets several keeps the one with the highest `sequence`.',
    reasons: [
      'INSUFFICIENT_CREDITS',
      'ACCOUNT_SUSPENDED',
      'TERMS_NOT_ACCEPTED',
      'NOT_FOUND',
      'IN_PROGRESS',
      'ACCOUNT_INVALID',
      'ACCOUNT_CLOSED',
      'EXPIRED',
      'DELETED',
      'IDEMPOTENCY_KEY_REUSED',
      'CONTENT_BLOCKED',
      'REFERENCE_UNREADABLE',
      'RATE_LIMITED',
      'PROVIDER_MISCONFIGURED',
      'PROVIDER_ERROR',
      'NO_IMAGE',
      'STORAGE_ERROR',
      'PROVIDER_QUOTA',
      'PROVIDER_OVERLOADED',
      'SPEND_CEILING',
      'DATABASE_UNAVAILABLE',
      'PROVIDER_TIMEOUT',
    ],
  },
  generation: {
    summary: 'Get one generation',
    description:
      'One generation of the caller in its current state, by its `id` or by the `key` of its request: exactly one of the two.',
    reasons: ['NOT_FOUND', 'ACCOUNT_INVALID', 'DATABASE_UNAVAILABLE'],
  },
  gallery: {
    summary: "List the caller's images, newest first",
    description:
      'Only finished generations: those that were refunded or deleted are left out. `query` and `favourite` can be combined. They leave out images that are older than the search.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  deleteGeneration: {
    summary: 'Delete an image for good',
    description:
      'Deletes the image and its prompt. The record of the generation, its ledger entries and its key stay. The call can be repeated. No credits are refunded.',
    reasons: ['NOT_FOUND', 'IN_PROGRESS', 'ACCOUNT_INVALID', 'DATABASE_UNAVAILABLE'],
  },
  favourite: {
    summary: 'Mark an image as a favourite, or remove the mark',
    description: 'Only for a finished image of the caller. The call can be repeated.',
    reasons: ['NOT_FOUND', 'ACCOUNT_INVALID', 'DATABASE_UNAVAILABLE'],
  },
  share: {
    summary: 'Make an image public, or private again',
    description:
      'With `shared: true` anyone can see a copy of the image at `shareUrl`, without its prompt. A repeated call gets the same address. With `shared: false` the page and the copy are gone. Only for a finished image of the caller.',
    reasons: [
      'NOT_FOUND',
      'ACCOUNT_INVALID',
      'ACCOUNT_CLOSED',
      'STORAGE_ERROR',
      'PROVIDER_TIMEOUT',
      'PROVIDER_MISCONFIGURED',
      'SHUTTING_DOWN',
      'DATABASE_UNAVAILABLE',
    ],
  },
  sharedImage: {
    summary: 'The page of a shared image',
    description:
      'An HTML page at `/i/{token}`: the image, its AI mark, and a link to report it. For every image that is private, deleted, removed or unknown it is the same other page, with status 404. Errors are JSON.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  report: {
    summary: 'Report a shared image',
    description:
      'The answer is the same whether the image exists or not. Several reports of one image from one network address are kept as one. The address is not kept. At most 10 calls a minute from one address, and 20 for one image.',
    reasons: ['RATE_LIMITED', 'DATABASE_UNAVAILABLE'],
  },
  takedown: {
    summary: 'Remove an image everywhere',
    description:
      'Removes the image, its prompt, its share page, and all that show the same image from the cache. The user sees that the studio removed it, and the reason. The same image is then refused as a reference. Open reports of it are closed. No credits move. The call can be repeated.',
    reasons: ['NOT_FOUND', 'IN_PROGRESS', 'DATABASE_UNAVAILABLE'],
  },
  reports: {
    summary: 'List the open reports, newest first',
    description: 'Each with its image as it is now and the user who shared it.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  resolveReport: {
    summary: 'Close a report',
    description:
      '`dismissed` leaves the image. `takenDown` removes it as `takedown` does, with the reason of the report. The call can be repeated, and a dismissed report can still be `takenDown`.',
    reasons: ['NOT_FOUND', 'IN_PROGRESS', 'DATABASE_UNAVAILABLE'],
  },
  acceptTerms: {
    summary: 'Accept the terms',
    description:
      'Records that the caller accepts the current terms and is 18 or older. Until then, `generate`, `enhance` and `checkout` answer 403 `TERMS_NOT_ACCEPTED`. After a new version the user has to accept again. The call can be repeated: the first time counts. Any version but the current one gets 400, and so does every version if the studio has no terms.',
    reasons: ['ACCOUNT_INVALID', 'ACCOUNT_CLOSED', 'DATABASE_UNAVAILABLE'],
  },
  closeAccount: {
    summary: 'Close the account for good',
    description:
      'Erases the person and keeps the ledger: images, prompts, what models said of them, the e-mail address and every free text are deleted, then the user in Firebase Authentication. The account, its entries and its purchases stay, with amounts, times and ids. Credits that are left are lost. Images that are being made end as usual first. The caller must have signed in within the last 5 minutes. The call can be repeated. From then on, everything that costs credits answers 409 `ACCOUNT_CLOSED`.',
    reasons: ['SIGN_IN_AGAIN', 'DATABASE_UNAVAILABLE'],
  },
  exportAccount: {
    summary: "Export the caller's data",
    description:
      'Everything that is kept about the caller, as one JSON document and as a file to save. It is sent while it is read: if a read fails in the middle, the connection breaks off, so that an incomplete document never looks complete. It works for a suspended account and for one that an admin has to correct. Left out is what does not describe the caller: the names of stored files, the ids of attempts, hashes that recognise a repeated request, what a provider billed, which admin made an entry, and the words of a grant.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  suspend: {
    summary: 'Suspend or restore a person',
    description:
      'Suspends the account, every other account of the same person, and every account that the person creates later; or restores all of them. A person is recognised by a verified e-mail address, a phone number or a sign-in with a provider. Each change is recorded with its reason in `adminActions`. The call can be repeated: it then finishes what an earlier call left undone.',
    reasons: ['NOT_FOUND', 'DATABASE_UNAVAILABLE'],
  },
  packs: {
    summary: 'List the credit packs on sale',
    description:
      'The packs with their prices before tax, as Stripe has them. Instances keep them for five minutes. The list is empty where nothing is sold.',
    reasons: ['PAYMENTS_UNAVAILABLE'],
  },
  checkout: {
    summary: 'Start a purchase',
    description:
      "Creates a Checkout session at Stripe for one pack. Send the user to `url`. Afterwards Stripe sends the user back to the studio, with the session's id as `session` in the query: pass it to `confirmCheckout`. The same user and key get the same session for a day.",
    reasons: [
      'ACCOUNT_SUSPENDED',
      'TERMS_NOT_ACCEPTED',
      'EMAIL_NOT_VERIFIED',
      'ACCOUNT_INVALID',
      'ACCOUNT_CLOSED',
      'IDEMPOTENCY_KEY_REUSED',
      'PAYMENTS_UNAVAILABLE',
      'DATABASE_UNAVAILABLE',
    ],
  },
  confirmCheckout: {
    summary: 'Find out whether a purchase is paid',
    description:
      'Asks Stripe, and adds the credits of a paid session unless the webhook has done so. The call can be repeated.',
    reasons: ['NOT_FOUND', 'ACCOUNT_INVALID', 'PAYMENTS_UNAVAILABLE', 'DATABASE_UNAVAILABLE'],
  },
  billingPortal: {
    summary: "Open Stripe's customer portal",
    description:
      "The address of the caller's receipts and invoices at Stripe. `NOT_FOUND` for a user who has never bought anything.",
    reasons: ['NOT_FOUND', 'PAYMENTS_UNAVAILABLE', 'DATABASE_UNAVAILABLE'],
  },
  stripeWebhook: {
    summary: "Receive Stripe's events",
    description:
      'For Stripe alone: the raw body of an event, signed by the header `Stripe-Signature`. Adds the credits of payments, takes back those of refunds and disputes, and returns them if a refund fails or a dispute is won. An event counts once, however often it comes. Events of other types are ignored and get 200 too.',
    reasons: ['PAYMENTS_UNAVAILABLE', 'DATABASE_UNAVAILABLE'],
  },
  adminOverview: {
    summary: 'Sum up a period',
    description:
      'Money, credits, images, failures and costs of a period of at most 92 days, with each of its days; the current state of the models and jobs; what admins did last. Firestore computes the sums from its indexes.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  adminAccounts: {
    summary: 'Find or list accounts',
    description:
      'All accounts, newest first, page by page. With `find`, only those that the text names, on one page: a uid, an e-mail address, the id of a generation, or of a Stripe Checkout session.',
    reasons: ['PAYMENTS_UNAVAILABLE', 'DATABASE_UNAVAILABLE'],
  },
  adminAccount: {
    summary: 'Show one account in full',
    description: 'The account with its newest entries, generations and purchases, and what admins did to it.',
    reasons: ['NOT_FOUND', 'DATABASE_UNAVAILABLE'],
  },
  grant: {
    summary: 'Add or take credits',
    description:
      'Adds `amount` credits to an account, or takes them if the amount is negative, once for each `Idempotency-Key`, whichever admin sends it. The same key with another account, amount or generation gets 422. With `generationId` it is the goodwill refund of a finished generation of the account: once, and at most its price.',
    reasons: [
      'INSUFFICIENT_CREDITS',
      'NOT_FOUND',
      'ACCOUNT_INVALID',
      'ACCOUNT_CLOSED',
      'IDEMPOTENCY_KEY_REUSED',
      'DATABASE_UNAVAILABLE',
    ],
  },
  audit: {
    summary: 'Check that the ledger adds up',
    description:
      'One account by its `uid`, or all accounts page by page. `differences` says in words what does not add up.',
    reasons: ['NOT_FOUND', 'DATABASE_UNAVAILABLE'],
  },
  checkQuota: {
    summary: 'Reopen models whose quota is back',
    description: 'Checks every model that is marked as exhausted, and reports the state of every model.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  refillAllowances: {
    summary: 'Top up free allowances',
    description: `Tops up each account that has a periodic allowance, once in each period. ${untilTimeIsUsed}`,
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  sweepHolds: {
    summary: 'Refund overdue generations',
    description:
      'Refunds generations whose deadline has passed, deletes images that no generation owns, goes on with closings of accounts, and writes the erasure log. Calls can be repeated and can overlap.',
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  reconcile: {
    summary: 'Record console edits, report broken accounts',
    description: `Records edits in the console that are not in the ledger yet, and reports every account that does not add up. An account is closed if Firebase Authentication has not known its user for a day. It corrects nothing else. ${untilTimeIsUsed}`,
    reasons: ['DATABASE_UNAVAILABLE'],
  },
  reconcilePayments: {
    summary: 'Compare Stripe with the ledger',
    description: `Looks at Stripe's paid sessions, refunds, disputes and events of the last four days. Records what no webhook has brought, and reports what only a person can decide, such as credits without a payment. ${untilTimeIsUsed}`,
    reasons: ['PAYMENTS_UNAVAILABLE', 'DATABASE_UNAVAILABLE'],
  },
};
