import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
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

/** Where a problem is shown: beside the button that had it. */
type Place = 'buttons' | 'form';
type Attempt = (place: Place, action: () => Promise<void>) => Promise<void>;

/**
 * @property isLocal true for a local run, whose demo users sign in with one click
 * @property hasSignedOut true if a session has ended in this window
 */
export function SignIn({ isLocal, hasSignedOut }: { isLocal: boolean; hasSignedOut: boolean }) {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<{ words: string; place: Place } | undefined>();
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    void loadStudioInfo();
    if (!hasSignedOut) return;
    title.current?.focus();
    if (!farewell.peek()) announce(text.signIn.signedOut);
  }, []);

  // The buttons stay enabled: a disabled one loses the focus.
  async function attempt(place: Place, action: () => Promise<void>): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setProblem(undefined);
    farewell.value = '';
    try {
      await action();
    } catch (error) {
      setProblem({ words: signInProblem(error), place });
    } finally {
      setIsBusy(false);
    }
  }
  const problemAt = (place: Place) =>
    problem?.place === place && (
      <p class="problem" role="alert">
        {problem.words}
      </p>
    );

  return (
    <main class="sign-in" id="main">
      <div class="hero">
        <div class="title">
          <Mark />
          <h1 tabIndex={-1} ref={title}>
            {text.common.studio}
          </h1>
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
        <Button isWide aria-disabled={isBusy} onClick={() => void attempt('buttons', signInWithGoogle)}>
          {text.signIn.withGoogle}
        </Button>
        {problemAt('buttons')}
        <p class="or">{text.signIn.orByEmail}</p>
        <EmailForm isBusy={isBusy} attempt={attempt} kind={isLocal ? undefined : 'primary'}>
          {problemAt('form')}
        </EmailForm>
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

type FormProps = { isBusy: boolean; attempt: Attempt };

function DemoUsers({ isBusy, attempt }: FormProps) {
  const signInAs = async (index: 0 | 1) => {
    const { demoPassword, demoUsers } = await import('../demoUsers.ts');
    await signIn(demoUsers[index].email, demoPassword);
  };
  return (
    <section class="demo" aria-label={text.signIn.localRun}>
      <Button
        kind="primary"
        isWide
        aria-disabled={isBusy}
        onClick={() => void attempt('buttons', () => signInAs(0))}
      >
        {text.signIn.asDemoUser}
      </Button>
      <Button isWide aria-disabled={isBusy} onClick={() => void attempt('buttons', () => signInAs(1))}>
        {text.signIn.asAdmin}
      </Button>
    </section>
  );
}

type EmailFormProps = FormProps & {
  /** `primary` where no demo user is offered. */
  kind: 'primary' | undefined;
  /** What is above the button. */
  children: ComponentChildren;
};

function EmailForm({ isBusy, attempt, kind, children }: EmailFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [isNew, setIsNew] = useState(false);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');

  const submit = (event: Event) => {
    event.preventDefault();
    void attempt('form', () => (isNew ? createUser(email, password) : signIn(email, password)));
  };
  const reset = () =>
    void attempt('form', async () => {
      if (email.trim() === '') {
        form.current?.querySelector('input')?.focus();
        throw { code: 'auth/missing-email' };
      }
      await sendPasswordReset(email);
      announce(text.signIn.resetSent(email));
    });

  return (
    <form onSubmit={submit} ref={form}>
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
        hint={isNew ? text.signIn.passwordHint : undefined}
        value={password}
        onValue={setPassword}
      />
      {isNew && <p class="quiet">{whatFollows()}</p>}
      {children}
      <Button type="submit" {...(kind && { kind })} isWide aria-disabled={isBusy}>
        {isNew ? text.signIn.createAccount : text.signIn.signIn}
      </Button>
      <div class="row between">
        <Button kind="text" onClick={() => setIsNew(!isNew)}>
          {isNew ? text.signIn.toSignIn : text.signIn.toSignUp}
        </Button>
        {!isNew && (
          <Button kind="text" aria-disabled={isBusy} onClick={reset}>
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
