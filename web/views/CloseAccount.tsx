import { useState } from 'preact/hooks';
import { ApiError } from '../client.ts';
import { usePageState } from '../state/pageState.ts';
import { endSession, farewell, signInAgain, signInProblem, user } from '../state/session.ts';
import { credits, problemText } from '../words.ts';

const confirmation = 'CLOSE';

/** Closes the account: what is lost, a word to type, and another sign-in if the last one is too old. */
export function CloseAccount() {
  const { account, client, memory } = usePageState();
  const [isOpen, setIsOpen] = useState(false);
  const [word, setWord] = useState('');
  const [password, setPassword] = useState('');
  const [mustSignIn, setMustSignIn] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function close(): Promise<void> {
    if (mustSignIn) await signInAgain(password);
    await client.closeAccount();
    farewell.value = 'Your account is closed. Your images, prompts and sign-in are being deleted. Goodbye.';
    await memory.clear();
    await endSession();
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setIsBusy(true);
    setProblem('');
    try {
      await close();
    } catch (error) {
      const isRefused = error instanceof ApiError;
      if (isRefused && error.reason === 'SIGN_IN_AGAIN') setMustSignIn(true);
      setProblem(isRefused ? problemText(error) : signInProblem(error));
      setIsBusy(false);
    }
  }

  if (!isOpen) {
    return (
      <div class="row">
        <button type="button" class="text" onClick={() => setIsOpen(true)}>
          Close account
        </button>
      </div>
    );
  }
  return (
    <form onSubmit={(event) => void submit(event)} aria-label="Close account">
      <h3>Close your account</h3>
      <p>
        Your images, prompts and sign-in are deleted for good, here and on every page you shared. The{' '}
        {credits(account.balance.value?.balance ?? 0)} you have left are lost. Export your data first if you
        want to keep it.
      </p>
      <label>
        Type {confirmation} to confirm
        <input
          type="text"
          autocomplete="off"
          required
          value={word}
          onInput={(event) => setWord(event.currentTarget.value)}
        />
      </label>
      {mustSignIn && user.value?.hasPassword && (
        <label>
          Your password
          <input
            type="password"
            autocomplete="current-password"
            required
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
      )}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row">
        <button type="button" onClick={() => setIsOpen(false)}>
          Keep my account
        </button>
        <button type="submit" class="danger" disabled={isBusy || word !== confirmation}>
          Close my account
        </button>
      </div>
    </form>
  );
}
