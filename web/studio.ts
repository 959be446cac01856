/** The studio's page: signing in, then the studio of whoever is. */
import { byId, make } from './dom.ts';
import { openStudio } from './painting.ts';
import {
  createSession,
  demoUsers,
  type FirebaseConfig,
  onSignedOutElsewhere,
  type Session,
} from './session.ts';

const problem = byId('problem', HTMLElement);

async function main(): Promise<void> {
  const response = await fetch('/__/firebase/init.json');
  if (!response.ok) throw new Error('The studio is not set up: it has no Firebase configuration.');
  const session = createSession((await response.json()) as FirebaseConfig, localStorage);
  if (session.user()) return enter(session);
  if (!session.isLocal) say('There is no way to sign in here yet.');
  byId('demo-users', HTMLElement).append(...(session.isLocal ? demoButtons(session) : []));
  byId('sign-in', HTMLElement).hidden = false;
}

function demoButtons(session: Session): HTMLElement[] {
  return demoUsers.map((user) => {
    const button = make('button', { type: 'button', className: 'main' }, `Sign in as ${user.name}`);
    button.addEventListener('click', async () => {
      button.disabled = true;
      try {
        await session.signIn(user);
        problem.hidden = true;
        byId('sign-in', HTMLElement).hidden = true;
        enter(session);
      } catch (error) {
        say(error);
        button.disabled = false;
      }
    });
    return make('p', {}, button, make('span', { className: 'quiet' }, user.email));
  });
}

function enter(session: Session): void {
  // A fresh page knows nothing of who was here.
  const leave = () => {
    session.signOut();
    location.reload();
  };
  onSignedOutElsewhere(leave);
  byId('sign-out', HTMLButtonElement).addEventListener('click', leave);
  byId('who', HTMLElement).textContent = session.user()?.email ?? '';
  byId('account', HTMLElement).hidden = false;
  byId('studio', HTMLElement).hidden = false;
  openStudio({ session, leave, say });
}

function say(what: unknown): void {
  problem.textContent = what instanceof Error ? what.message : String(what);
  problem.hidden = what === '';
}

main().catch(say);
