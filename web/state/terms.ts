/** Asks the user to accept the terms when a function refuses a call without that, and then makes the call again. */
import { signal } from '@preact/signals';
import { ApiError, type Client } from '../client.ts';
import { problemText } from '../strings/messages.ts';
import type { AccountState } from './account.ts';

/** @param onAccept informs the user's other windows. */
export function createTerms(
  client: Pick<Client, 'acceptTerms'>,
  account: Pick<AccountState, 'load' | 'terms'>,
  onAccept: (version: string) => void,
) {
  /** The version that the user is asked to accept. Undefined: no question is open. */
  const question = signal<string | undefined>();
  const problem = signal('');
  let asking: PromiseWithResolvers<boolean> | undefined;

  function answer(isAccepted: boolean): void {
    question.value = undefined;
    problem.value = '';
    asking?.resolve(isAccepted);
    asking = undefined;
  }

  /** True once the user has accepted. All calls that are refused meanwhile wait for the same answer. */
  function ask(version: string): Promise<boolean> {
    if (asking) return asking.promise;
    asking = Promise.withResolvers<boolean>();
    const { promise } = asking;
    void showQuestion(version);
    return promise;
  }

  async function showQuestion(version: string): Promise<void> {
    // For the current links, and because another window may have answered.
    await account.load();
    if (!asking) return;
    const terms = account.terms.value;
    if (terms?.accepted && terms.version === version) answer(true);
    else question.value = version;
  }

  return {
    question,
    problem,

    /** Makes a call, and makes it again after the user has accepted the terms. @throws the refusal if the user has not. */
    async afterTerms<T>(call: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await call();
        } catch (error) {
          if (!(error instanceof ApiError) || error.reason !== 'TERMS_NOT_ACCEPTED') throw error;
          if (!(await ask(error.metadata.version ?? ''))) throw error;
        }
      }
    },

    async accept(): Promise<void> {
      const version = question.value;
      if (version === undefined) return;
      try {
        await client.acceptTerms(version);
        onAccept(version);
        answer(true);
        await account.load();
      } catch (error) {
        problem.value = problemText(error);
        // There may be newer terms by now.
        await account.load();
        const { version: current, accepted } = account.terms.value ?? {};
        if (question.value !== undefined && current && !accepted) question.value = current;
      }
    },

    decline: () => answer(false),

    /** The user has accepted this version in another window. */
    onAccepted(version: string): void {
      if (question.value === version) answer(true);
      void account.load();
    },

    close: () => answer(false),
  };
}
