import { useRef, useState } from 'preact/hooks';
import { ApiError } from '../client.ts';
import { useKeptFocus } from '../components/useKeptFocus.ts';
import { forgetDraft } from '../state/draftMemory.ts';
import { usePageState } from '../state/pageState.ts';
import { endSession, signInAgain, signInProblem, user } from '../state/session.ts';
import { accountText as text } from '../strings/account.ts';
import { problemText } from '../strings/messages.ts';

const confirmation = 'CLOSE';

/** Closes the account: what is lost, a word to type, and another sign-in if the last one is too old. */
export function CloseAccount() {
  const { account, client, memory, uid } = usePageState();
  const [isOpen, setIsOpen] = useState(false);
  const [word, setWord] = useState('');
  const [password, setPassword] = useState('');
  const [mustSignIn, setMustSignIn] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const holder = useRef<HTMLDivElement>(null);
  useKeptFocus(holder, isOpen);

  const isOff = isBusy || word !== confirmation;

  async function close(): Promise<void> {
    if (mustSignIn) await signInAgain(password);
    await client.closeAccount();
    await memory.clear();
    forgetDraft(uid);
    await endSession(text.closing.farewell);
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isOff) return;
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
      <div class="row" ref={holder}>
        <button type="button" class="text" onClick={() => setIsOpen(true)}>
          {text.closing.open}
        </button>
      </div>
    );
  }
  return (
    <div ref={holder}>
      <form onSubmit={(event) => void submit(event)} aria-label={text.closing.open}>
        <h3>{text.closing.title}</h3>
        <p>{text.closing.consequence(account.balance.value?.balance ?? 0)}</p>
        <label>
          {text.closing.typeToConfirm(confirmation)}
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
            {text.closing.password}
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
            {text.closing.keep}
          </button>
          <button type="submit" class="danger" aria-disabled={isOff}>
            {text.closing.confirm}
          </button>
        </div>
      </form>
    </div>
  );
}
