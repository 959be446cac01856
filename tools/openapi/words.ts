/** What the description of the API says in words: of each function, of each field. */

/** The groups of functions, by who calls them. */
export const groups = {
  anyone: 'For anyone',
  user: 'For users',
  admin: 'For admins',
  scheduler: 'For the scheduler',
} as const;

/** What each group's caller has to send. */
export const callers = {
  anyone: 'Anyone; no token is needed.',
  user: 'A signed-in user: `Authorization: Bearer` with an ID token of Firebase Authentication.',
  admin:
    'An admin: a user with the custom claim `admin: true`, whose sign-in is not revoked. Under `npm start`, `Bearer owner` on this machine is one too.',
  scheduler:
    'Cloud Scheduler: `Authorization: Bearer` with an OIDC token that Google signed for the configured service account and audience. Under `npm start`, `Bearer owner` on this machine is one too.',
} as const;

export const about = [
  'What each function takes, what it answers and how it fails. Signed-in users pay credits for images. Every function is an HTTP endpoint under its own name, speaks JSON and keeps no session.',
  'A generation ends in exactly one of two ways: an image that is paid for, or credits that are back. `generate` takes an `Idempotency-Key`: whatever happens on the way, the same request with the same key is never charged twice.',
  'Answers may get further fields; a client should ignore those it does not know. Requests with unknown fields are refused. Times are RFC 3339 in UTC, credits are whole numbers.',
  "One function has no HTTP interface: `accountWritten` takes the event of a change to a document `accounts/{uid}` in Firestore and turns an admin's edit in the console into a ledger entry. Eventarc calls it.",
];

type Words = { summary: string; description: string };

export const operations: Record<string, Words> = {
  health: {
    summary: 'Whether this instance answers',
    description:
      'Touches nothing that costs money. `warnings` tells of configured models that are about to be retired.',
  },
  account: {
    summary: 'Balance, prices and limits',
    description:
      "The caller's account, the tiers with their prices and sizes, and the limits. The first call creates the account, with the signup credits where there are any.",
  },
  ledger: {
    summary: "The caller's entries, newest first",
    description:
      'Every movement of credits: grants, debits, refunds, adjustments, allowances. Entries are never changed, only answered by new ones.',
  },
  enhance: {
    summary: 'A better prompt',
    description:
      'Asks a text model to improve a prompt. When the model is late or fails, the same prompt comes back with `enhanced: false`; that is no error. Costs no credits.',
  },
  generate: {
    summary: 'Paint an image',
    description:
      'Debits the price of the tier, paints, stores the image, and answers with it; on whatever goes wrong, the credits go back. This takes up to two minutes. A proxy that ends a request sooner (Firebase Hosting does after 60 s) ends only the request: ask `generation` with the key, or `generate` again with the same key and body.\n\nThe same key and body again give the stored answer again, with the header `Idempotent-Replayed: true`, and charge nothing. While it is being painted they give 409 `IN_PROGRESS`. The same key with another body gives 422. A generation that failed after its debit gives the same failure again: a new try needs a new key. One that was refused before any debit has not used its key up.\n\nA `receipt` is on every answer whose generation was debited, errors too. A client that gets several keeps the one with the highest `sequence`.',
  },
  generation: {
    summary: 'One generation',
    description:
      'One generation of the caller in whatever state it is, by its `id` or by the `key` it was asked with: exactly one of the two.',
  },
  gallery: {
    summary: "The caller's images, newest first",
    description: 'Finished generations only; those that were refunded or deleted are not listed.',
  },
  deleteGeneration: {
    summary: 'Delete an image for good',
    description:
      'Removes image and prompt. What stays is the record that there was one, its entries, and its key. May be repeated. No credits come back.',
  },
  grant: {
    summary: 'Give credits, or take them',
    description:
      'Adds `amount` credits to an account, or takes them where it is negative; once for each `Idempotency-Key`. The same key for another account or amount gives 422.',
  },
  audit: {
    summary: 'Whether the ledger adds up',
    description:
      'One account by its `uid`, or all by page. `differences` says in words where an account does not add up.',
  },
  checkQuota: {
    summary: 'Reopen models whose quota is back',
    description: 'Examines every model that is marked exhausted, and reports how each of them stands.',
  },
  refillAllowances: {
    summary: 'Top up free allowances',
    description:
      'Tops accounts up to their periodic allowance, once in each period, where one is configured. Works until most of its time is used; the next call goes on from there.',
  },
  sweepHolds: {
    summary: 'Refund what was left behind',
    description:
      'Refunds generations that are past their deadline and deletes images that nobody owns. May run twice, and at once.',
  },
  reconcile: {
    summary: 'Record console edits, report broken accounts',
    description:
      'Records edits in the console that nobody noticed, and reports every account that does not add up; mends nothing else. Works until most of its time is used; the next call goes on from there.',
  },
};
