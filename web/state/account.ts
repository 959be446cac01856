/** The user's account: balance, tiers and limits. A Firestore listener keeps the balance current. */
import { computed, signal } from '@preact/signals';
import type { AccountAnswer } from '../../shared/contract.ts';
import { ApiError, type Client } from '../client.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';
import { applyDocument, applyReceipt, type Balance, getDebt, isSuspended } from './balance.ts';
import type { FirebaseConfig } from './session.ts';

/** Wait before a listener that broke is opened again, in milliseconds. */
const listenAgainMs = 30_000;

export type AccountState = ReturnType<typeof createAccount>;

export function createAccount(client: Client, config: FirebaseConfig, uid: string) {
  const answer = signal<AccountAnswer | undefined>();
  const balance = signal<Balance | undefined>();
  const suspended = signal(false);
  const debt = signal(0);
  const supportEmail = signal<string | undefined>();
  const problem = signal('');
  const closing = new AbortController();
  let stopListening = () => {};
  let isClosed = false;

  async function load(): Promise<void> {
    try {
      const fresh = await client.account();
      if (isClosed) return;
      answer.value = fresh;
      balance.value = applyReceipt(balance.value, fresh.account);
      suspended.value = fresh.account.suspended;
      supportEmail.value = fresh.supportEmail;
      problem.value = fresh.account.closedAt ? text.header.accountClosed : '';
    } catch (error) {
      if (error instanceof ApiError) supportEmail.value ??= error.metadata.supportEmail;
      problem.value = problemText(error);
    }
  }

  async function listen(): Promise<void> {
    const { listenToAccount } = await import('./liveAccount.ts');
    if (isClosed) return;
    stopListening = listenToAccount(config, uid, onDocument, followAgain);
  }

  function onDocument(fields: Record<string, unknown>): void {
    balance.value = applyDocument(balance.value, fields);
    suspended.value = isSuspended(fields);
    debt.value = getDebt(fields);
  }

  /** Failures are not shown: without the listener, receipts still update the balance. */
  function follow(): void {
    if (!isClosed) void listen().catch(followAgain);
  }

  /** After a while, or as soon as the browser is back online. */
  function followAgain(): void {
    const waiting = new AbortController();
    const again = () => {
      clearTimeout(timer);
      waiting.abort();
      follow();
    };
    const timer = setTimeout(again, listenAgainMs);
    addEventListener('online', again, { signal: AbortSignal.any([waiting.signal, closing.signal]) });
  }

  return {
    balance,
    suspended,
    /** Known only from the live document. */
    debt,
    supportEmail,
    problem,
    tiers: computed(() => answer.value?.tiers ?? []),
    limits: computed(() => answer.value?.limits),
    allowance: computed(() => answer.value?.account.allowance),
    createdAt: computed(() => answer.value?.account.createdAt),
    terms: computed(() => answer.value?.terms),
    load,
    follow,
    onReceipt(receipt: Balance | undefined): void {
      if (receipt) balance.value = applyReceipt(balance.value, receipt);
    },
    close(): void {
      isClosed = true;
      closing.abort();
      stopListening();
    },
  };
}
