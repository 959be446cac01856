import { useRef, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Field } from '../components/Field.tsx';
import { useKeptFocus } from '../components/useKeptFocus.ts';
import { changePassword, signInProblem } from '../state/session.ts';
import { accountText as text } from '../strings/account.ts';

/** Changes the password, which also ends the user's sessions on other devices. */
export function ChangePassword() {
  const [isOpen, setIsOpen] = useState(false);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const [isDone, setIsDone] = useState(false);
  const [problem, setProblem] = useState('');
  const holder = useRef<HTMLDivElement>(null);
  useKeptFocus(holder, isOpen);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    setIsBusy(true);
    setProblem('');
    try {
      await changePassword(current, next);
      setIsDone(true);
      end();
    } catch (error) {
      setProblem(signInProblem(error));
    } finally {
      setIsBusy(false);
    }
  }
  function end(): void {
    setIsOpen(false);
    setCurrent('');
    setNext('');
    setProblem('');
  }

  if (!isOpen) {
    return (
      <div class="changing" ref={holder}>
        <div class="row">
          <Button
            onClick={() => {
              setIsDone(false);
              setIsOpen(true);
            }}
          >
            {text.account.changePassword}
          </Button>
        </div>
        {isDone && <p role="status">{text.account.passwordChanged}</p>}
      </div>
    );
  }
  return (
    <div class="changing" ref={holder}>
      <form onSubmit={(event) => void submit(event)} aria-label={text.account.changePassword}>
        <Field
          label={text.account.currentPassword}
          type="password"
          autocomplete="current-password"
          required
          value={current}
          onValue={setCurrent}
        />
        <Field
          label={text.account.newPassword}
          type="password"
          autocomplete="new-password"
          required
          minLength={6}
          hint={text.signIn.passwordHint}
          value={next}
          onValue={setNext}
        />
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <div class="row">
          <Button onClick={end}>{text.account.cancel}</Button>
          <Button type="submit" kind="primary" aria-disabled={isBusy}>
            {text.account.changePassword}
          </Button>
        </div>
      </form>
    </div>
  );
}
