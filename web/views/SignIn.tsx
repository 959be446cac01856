import { useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { FirstVisitDrawing } from '../components/drawings.tsx';
import { Field } from '../components/Field.tsx';
import { Mark } from '../components/Mark.tsx';
import { announce } from '../state/announce.ts';
import {
  createUser,
  farewell,
  sendPasswordReset,
  signIn,
  signInProblem,
  signInWithGoogle,
} from '../state/session.ts';
import { text } from '../strings/en.ts';

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
        <div class="title">
          <Mark />
          <h1>{text.common.studio}</h1>
        </div>
        <p>{text.signIn.promise}</p>
        <FirstVisitDrawing />
      </div>
      <div class="card">
        {farewell.value && <p role="status">{farewell.value}</p>}
        {isLocal && <DemoUsers isBusy={isBusy} attempt={attempt} />}
        <Button isWide disabled={isBusy} onClick={() => void attempt(signInWithGoogle)}>
          {text.signIn.withGoogle}
        </Button>
        <p class="or">{text.signIn.orByEmail}</p>
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
    <section class="demo" aria-label={text.signIn.localRun}>
      <Button kind="primary" isWide disabled={isBusy} onClick={() => void attempt(() => signInAs(0))}>
        {text.signIn.asDemoUser}
      </Button>
      <Button isWide disabled={isBusy} onClick={() => void attempt(() => signInAs(1))}>
        {text.signIn.asAdmin}
      </Button>
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
      announce(text.signIn.resetSent(email));
    });

  return (
    <form onSubmit={submit}>
      <Field
        label={text.signIn.email}
        type="email"
        autocomplete="username"
        required
        value={email}
        onValue={setEmail}
      />
      <Field
        label={text.signIn.password}
        type="password"
        autocomplete={isNew ? 'new-password' : 'current-password'}
        required
        minLength={6}
        value={password}
        onValue={setPassword}
      />
      <Button type="submit" isWide disabled={isBusy}>
        {isNew ? text.signIn.createAccount : text.signIn.signIn}
      </Button>
      <div class="row between">
        <Button kind="text" onClick={() => setIsNew(!isNew)}>
          {isNew ? text.signIn.toSignIn : text.signIn.toSignUp}
        </Button>
        {!isNew && (
          <Button kind="text" disabled={isBusy} onClick={reset}>
            {text.signIn.forgotPassword}
          </Button>
        )}
      </div>
    </form>
  );
}
