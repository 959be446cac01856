import { useEffect, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { FirstVisitDrawing } from '../components/drawings.tsx';
import { Field } from '../components/Field.tsx';
import { Icon, type IconName } from '../components/Icon.tsx';
import { Mark } from '../components/Mark.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { announce } from '../state/announce.ts';
import {
  createUser,
  farewell,
  sendPasswordReset,
  signIn,
  signInProblem,
  signInWithGoogle,
} from '../state/session.ts';
import { loadStudioInfo, studioInfo } from '../state/studioInfo.ts';
import { firstText as text } from '../strings/first.ts';
import { pricesText } from '../strings/prices.ts';

/** @property isLocal true for a local run, whose demo users sign in with one click */
export function SignIn({ isLocal }: { isLocal: boolean }) {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    void loadStudioInfo();
  }, []);

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
        <p class="promise">{text.signIn.promise}</p>
        <Points />
        <FirstVisitDrawing />
      </div>
      <div class="card">
        {farewell.value && (
          <p class="farewell" role="status">
            {farewell.value}
          </p>
        )}
        {isLocal && <DemoUsers isBusy={isBusy} attempt={attempt} />}
        <Button isWide disabled={isBusy} onClick={() => void attempt(signInWithGoogle)}>
          {text.signIn.withGoogle}
        </Button>
        <p class="or">{text.signIn.orByEmail}</p>
        <EmailForm isBusy={isBusy} attempt={attempt} kind={isLocal ? undefined : 'primary'} />
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <Links />
      </div>
    </main>
  );
}

/** What the studio makes, what it costs, and what is free. */
function Points() {
  const { tiers, signupCredits = 0 } = studioInfo.value ?? {};
  const { makes, costs, costsUnknown, free } = text.signIn.points;
  const points: [IconName, string][] = [
    ['image', makes],
    ['check', tiers ? costs(pricesText(tiers)) : costsUnknown],
  ];
  if (signupCredits > 0) points.push(['spark', free(text.common.credits(signupCredits))]);
  return (
    <ul class="points">
      {points.map(([icon, words]) => (
        <li key={icon}>
          <Icon name={icon} />
          <span>{words}</span>
        </li>
      ))}
    </ul>
  );
}

/** The terms, before anybody has to accept them. */
function Links() {
  const { termsUrl, privacyUrl, supportEmail } = studioInfo.value ?? {};
  if (!termsUrl && !privacyUrl && !supportEmail) return null;
  return (
    <p class="row links">
      {termsUrl && <OutsideLink href={termsUrl}>{text.signIn.terms}</OutsideLink>}
      {privacyUrl && <OutsideLink href={privacyUrl}>{text.signIn.privacy}</OutsideLink>}
      {supportEmail && <a href={`mailto:${supportEmail}`}>{text.signIn.support}</a>}
    </p>
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

/** @property kind primary where no demo user is offered */
function EmailForm({ isBusy, attempt, kind }: FormProps & { kind: 'primary' | undefined }) {
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
      {isNew && <p class="quiet">{whatFollows()}</p>}
      <Button type="submit" {...(kind && { kind })} isWide disabled={isBusy}>
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

/** What happens after a sign-up by e-mail. */
function whatFollows(): string {
  const { signupCredits = 0 } = studioInfo.value ?? {};
  const { newHere, newHereFree } = text.signIn;
  return signupCredits > 0 ? newHereFree(text.common.credits(signupCredits)) : newHere;
}
