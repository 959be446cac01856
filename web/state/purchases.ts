/** Buying credits: the packs, the way to Stripe's page and back, and what became of each payment. */
import { effect, signal } from '@preact/signals';
import type { Pack } from '../../shared/contract.ts';
import { ApiError, type Client, isSettled } from '../client.ts';
import { type PaymentNotice, paymentText, problemText } from '../strings/messages.ts';
import type { AccountState } from './account.ts';
import { announce } from './announce.ts';
import { leftFor, type Memory, type OpenCheckout } from './storage.ts';

/** Stripe's page for one purchase is valid for a day, and a bank may take two weeks. */
const submittedMsMax = 14 * 86_400_000;

/** What the user leaves the page for, beside packs. */
const portal = 'portal';

type Options = {
  client: Pick<Client, 'packs' | 'checkout' | 'confirmCheckout' | 'billingPortal' | 'ledger'>;
  memory: Memory;
  account: Pick<AccountState, 'balance' | 'onReceipt'>;
  /** Leaves the page. */
  goTo: (url: string) => void;
};

export function createPurchases({ client, memory, account, goTo }: Options) {
  /** Undefined until they are loaded. */
  const packs = signal<Pack[] | undefined>();
  const isDialogOpen = signal(false);
  /** The pack that the user wants, or `portal`, while the page of Stripe is prepared. */
  const leavingFor = signal<string | undefined>();
  const problem = signal('');
  /** True after the user has asked for receipts before the first payment. */
  const hasNoReceipts = signal(false);
  const notices = signal<PaymentNotice[]>([]);
  const closing = new AbortController();
  /** The key of each pack that the user has clicked: a repeated click is the same purchase. */
  const keys = new Map<string, string>();

  const isShown = (sessionId: string) => notices.value.some((one) => one.sessionId === sessionId);
  function show(notice: PaymentNotice): void {
    const others = notices.value.filter(({ sessionId }) => sessionId !== notice.sessionId);
    notices.value = [...others, notice];
    announce(paymentText(notice), false);
  }
  function hide(sessionId: string): void {
    notices.value = notices.value.filter((one) => one.sessionId !== sessionId);
  }

  function leave(target: string, url: string, sessionId = target): void {
    // The user may have closed the dialog meanwhile.
    if (closing.signal.aborted || leavingFor.value !== target) return;
    leftFor.set(sessionId);
    goTo(url);
  }

  /** Runs once at a time. On success the page is left, so nothing may be clicked until then. */
  async function prepareToLeave(target: string, work: () => Promise<void>): Promise<void> {
    if (leavingFor.value !== undefined) return;
    leavingFor.value = target;
    problem.value = '';
    hasNoReceipts.value = false;
    try {
      await work();
    } catch (error) {
      if (leavingFor.value !== target) return;
      leavingFor.value = undefined;
      if (target === portal && error instanceof ApiError && error.reason === 'NOT_FOUND')
        hasNoReceipts.value = true;
      else problem.value = problemText(error);
    }
  }

  async function startCheckout(pack: string): Promise<void> {
    const key = keys.get(pack) ?? crypto.randomUUID();
    keys.set(pack, key);
    try {
      const { url, sessionId } = await client.checkout(pack, { key });
      await memory.saveCheckout({ sessionId, startedAt: Date.now(), isSubmitted: false });
      leave(pack, url, sessionId);
    } catch (error) {
      if (isSettled(error)) keys.delete(pack);
      throw error;
    }
  }

  /** @param hasLeft true if this tab went to the checkout and is back without having paid */
  async function check(checkout: OpenCheckout, hasLeft = false): Promise<void> {
    const { sessionId, isSubmitted, startedAt } = checkout;
    if (isSubmitted && !isShown(sessionId)) show({ sessionId, state: 'confirming' });
    try {
      const { status, account: after, entry } = await client.confirmCheckout(sessionId);
      if (closing.signal.aborted) return;
      account.onReceipt(after);
      if (status === 'paid' && entry) return await finish(sessionId, entry.amount);
      const isOld = Date.now() - startedAt >= submittedMsMax;
      if (hasLeft || isOld || status === 'expired') await memory.deleteCheckout(sessionId);
      if (hasLeft) show({ sessionId, state: 'left' });
      else if (status === 'paid') show({ sessionId, state: 'notCredited' });
      else if (isSubmitted && status === 'expired') show({ sessionId, state: 'failed' });
      else if (isSubmitted && status === 'unpaid' && !isOld) show({ sessionId, state: 'waiting' });
      else hide(sessionId);
    } catch (error) {
      if (!closing.signal.aborted) await onUnconfirmed(checkout, error);
    }
  }

  async function finish(sessionId: string, credits: number): Promise<void> {
    show({ sessionId, state: 'paid', credits });
    await memory.deleteCheckout(sessionId);
  }

  /** If Stripe does not answer, its webhook may have added the credits all the same. */
  async function onUnconfirmed({ sessionId, isSubmitted }: OpenCheckout, error: unknown): Promise<void> {
    if (error instanceof ApiError && error.reason === 'NOT_FOUND') {
      await memory.deleteCheckout(sessionId);
      if (isSubmitted) show({ sessionId, state: 'notFound' });
      return;
    }
    const newest = await client.ledger().catch(() => undefined);
    const entry = newest?.entries.find(({ id }) => id === `purchase:${sessionId}`);
    if (entry) await finish(sessionId, entry.amount);
    else if (isSubmitted) show({ sessionId, state: 'unknown', problem: problemText(error) });
  }

  /** The checks of one round, one after another. A round that is asked for meanwhile follows. */
  let checks = Promise.resolve();
  const checkAll = (leftSession?: string) => {
    checks = checks.then(async () => {
      for (const checkout of await memory.listCheckouts()) {
        if (closing.signal.aborted) return;
        await check(checkout, checkout.sessionId === leftSession && !checkout.isSubmitted);
      }
    });
    return checks;
  };

  /** The user is back from Stripe, or opens the page. */
  async function resume(): Promise<void> {
    leavingFor.value = undefined;
    const target = leftFor.take();
    const paidSession = takeReturnedSession();
    if (paidSession !== undefined) {
      show({ sessionId: paidSession, state: 'confirming' });
      await memory.saveCheckout({ sessionId: paidSession, startedAt: Date.now(), isSubmitted: true });
    } else if (target !== undefined) {
      keys.clear();
    }
    await checkAll(target);
  }

  /** More credits may be a payment that was on its way. */
  function followBalance(): () => void {
    let seen = Number.POSITIVE_INFINITY;
    return effect(() => {
      const balance = account.balance.value?.balance;
      if (balance === undefined) return;
      if (balance > seen) void checkAll();
      seen = balance;
    });
  }

  async function loadPacks(): Promise<void> {
    if (packs.value) return;
    packs.value = (await client.packs().catch(() => undefined))?.packs;
  }

  return {
    packs,
    isDialogOpen,
    leavingFor,
    problem,
    hasNoReceipts,
    notices,

    async start(): Promise<void> {
      void loadPacks();
      const stop = followBalance();
      closing.signal.addEventListener('abort', stop);
      // Going back in the browser may show this page as it was left.
      addEventListener('pageshow', ({ persisted }) => persisted && void resume(), { signal: closing.signal });
      await resume();
    },

    /** Opens the list of packs. */
    open(): void {
      problem.value = '';
      isDialogOpen.value = true;
      void loadPacks();
    },
    closeDialog(): void {
      isDialogOpen.value = false;
      leavingFor.value = undefined;
      problem.value = '';
    },

    buy: (pack: string) => prepareToLeave(pack, () => startCheckout(pack)),

    openReceipts: () => prepareToLeave(portal, async () => leave(portal, (await client.billingPortal()).url)),

    checkAgain: () => checkAll(),

    /** Hides a notice. A payment that is still on its way is shown again at the next visit. */
    dismiss: hide,

    close: () => closing.abort(),
  };
}

/** The checkout session that Stripe names in the address after a payment. It is removed from the address. */
function takeReturnedSession(): string | undefined {
  const session = new URLSearchParams(location.search).get('session');
  if (session === null) return undefined;
  history.replaceState(history.state, '', `${location.pathname}${location.hash}`);
  return /^cs_\w{1,250}$/.test(session) ? session : undefined;
}
