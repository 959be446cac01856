import { useState } from 'preact/hooks';
import { announce } from '../state/announce.ts';
import {
  createUser,
  farewell,
  sendPasswordReset,
  signIn,
  signInProblem,
  signInWithGoogle,
} from '../state/session.ts';
import { Icon } from './Icon.tsx';

/** @property isLocal true for a local run, whose demo users sign in with one click */
export function SignIn({ isLocal }: { isLocal: boolean }) {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function attempt(action: () => Promise<void>): Promise<void> {
    setIsBusy(true);
    setProblem('');
    farewell.value = '';
    try {
      await action();
    } catch (error) {
      setProblem(signInProblem(error));
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <main class="sign-in" id="main">
      <div class="hero">
        <span class="mark">
          <Icon name="banana" />
        </span>
        <h1>Nano Banana Studio</h1>
        <p>Describe an image, and the studio creates it. You pay only for images you get.</p>
      </div>
      <div class="card">
        {farewell.value && <p role="status">{farewell.value}</p>}
        {isLocal && <DemoUsers isBusy={isBusy} attempt={attempt} />}
        <button type="button" class="wide" disabled={isBusy} onClick={() => void attempt(signInWithGoogle)}>
          Continue with Google
        </button>
        <p class="or">or with your e-mail</p>
        <EmailForm isBusy={isBusy} attempt={attempt} />
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
      </div>
    </main>
  );
}

type FormProps = { isBusy: boolean; attempt: (action: () => Promise<void>) => Promise<void> };

function DemoUsers({ isBusy, attempt }: FormProps) {
  const signInAs = async (index: 0 | 1) => {
    const { demoPassword, demoUsers } = await import('../demoUsers.ts');
    await signIn(demoUsers[index].email, demoPassword);
  };
  return (
    <section class="demo" aria-label="Local run">
      <button
        type="button"
        class="primary wide"
        disabled={isBusy}
        onClick={() => void attempt(() => signInAs(0))}
      >
        Continue as the demo user
      </button>
      <button type="button" class="wide" disabled={isBusy} onClick={() => void attempt(() => signInAs(1))}>
        Continue as the admin
      </button>
    </section>
  );
}

function EmailForm({ isBusy, attempt }: FormProps) {
  const [isNew, setIsNew] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');

  const submit = (event: Event) => {
    event.preventDefault();
    void attempt(() => (isNew ? createUser(email, password) : signIn(email, password)));
  };
  const reset = () =>
    void attempt(async () => {
      await sendPasswordReset(email);
      announce(`We sent a link to reset the password to ${email}.`);
    });

  return (
    <form onSubmit={submit}>
      <label>
        E-mail
        <input
          type="email"
          autocomplete="username"
          required
          value={email}
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
      </label>
      <label>
        Password
        <input
          type="password"
          autocomplete={isNew ? 'new-password' : 'current-password'}
          required
          minLength={6}
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="wide" disabled={isBusy}>
        {isNew ? 'Create account' : 'Sign in'}
      </button>
      <div class="row between">
        <button type="button" class="text" onClick={() => setIsNew(!isNew)}>
          {isNew ? 'I have an account' : 'Create an account'}
        </button>
        {!isNew && (
          <button type="button" class="text" disabled={isBusy} onClick={reset}>
            Forgot your password?
          </button>
        )}
      </div>
    </form>
  );
}
