/** The caller's account: balance, tiers, limits; the balance is followed as it changes. */
import { computed, signal } from '@preact/signals';
import type { AccountAnswer, Receipt } from '../../shared/contract.ts';
import type { Client } from '../client.ts';
import { problemText } from '../words.ts';
import { applyDocument, applyReceipt, type Balance } from './balance.ts';
import type { FirebaseConfig } from './session.ts';

/** How long a broken listener is left alone, milliseconds. */
const listenAgainMs = 30_000;

export function createAccount(client: Client, config: FirebaseConfig, uid: string) {
  const answer = signal<AccountAnswer | undefined>();
  const balance = signal<Balance | undefined>();
  const suspended = signal(false);
  const problem = signal('');
  let stopListening = () => {};
  let closed = false;

  async function load(): Promise<void> {
    try {
      const read = await client.account();
      if (closed) return;
      answer.value = read;
      balance.value = applyReceipt(balance.value, read.account);
      suspended.value = read.account.suspended;
      problem.value = '';
    } catch (error) {
      problem.value = problemText(error);
    }
  }

  async function listen(): Promise<void> {
    const { listenToAccount } = await import('./liveAccount.ts');
    if (closed) return;
    stopListening = listenToAccount(config, uid, onDocument, () => setTimeout(listenAgain, listenAgainMs));
  }

  function onDocument(fields: Record<string, unknown>): void {
    balance.value = applyDocument(balance.value, fields);
    suspended.value = fields.suspended === true;
  }

  /** A balance that nobody follows is still told by every receipt: no reason to stop the page. */
  function listenAgain(): void {
    if (!closed) void listen().catch(() => setTimeout(listenAgain, listenAgainMs));
  }

  return {
    balance,
    suspended,
    problem,
    tiers: computed(() => answer.value?.tiers ?? []),
    limits: computed(() => answer.value?.limits),
    allowance: computed(() => answer.value?.account.allowance),
    load,
    follow: listenAgain,
    heard(receipt: Receipt | undefined): void {
      if (receipt) balance.value = applyReceipt(balance.value, receipt);
    },
    close(): void {
      closed = true;
      stopListening();
    },
  };
}
