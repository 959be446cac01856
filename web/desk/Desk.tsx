/** The owner's desk: a part of the page that only admins load. */
import '../styles/layout.css';
import './desk.css';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../components/Icon.tsx';
import { Mark } from '../components/Mark.tsx';
import type { PartProps } from '../state/session.ts';
import { deskText } from '../strings/en/desk.ts';
import { text } from '../strings/en.ts';
import { SkipLink } from '../views/SkipLink.tsx';
import { AccountPage } from './AccountPage.tsx';
import { Accounts } from './Accounts.tsx';
import { deskRoute } from './deskRoute.ts';
import { Overview } from './Overview.tsx';
import { Reports } from './Reports.tsx';

export function Desk({ hasSignedIn }: PartProps) {
  const route = deskRoute.value;
  useTitle(hasSignedIn);
  return (
    <>
      <SkipLink />
      <header class="top">
        <a class="brand" href="#/" aria-label={deskText.title}>
          <Mark />
          <span class="name">{deskText.title}</span>
        </a>
        <DeskNavigation />
        <a class="button back" href="/studio" aria-label={deskText.backLabel}>
          <Icon name="left" />
          <span>{deskText.back}</span>
        </a>
      </header>
      <main id="main" class="desk" tabIndex={-1}>
        {route.view === 'overview' && <Overview />}
        {route.view === 'accounts' && <Accounts key={route.find} find={route.find} />}
        {route.view === 'account' && (
          <AccountPage key={route.uid} uid={route.uid} generationId={route.generationId} />
        )}
        {route.view === 'reports' && <Reports />}
      </main>
    </>
  );
}

function DeskNavigation() {
  const { view } = deskRoute.value;
  const toCurrent = (isCurrent: boolean) => (isCurrent ? 'page' : undefined);
  return (
    <nav aria-label={deskText.navigation}>
      <a href="#/" aria-current={toCurrent(view === 'overview')}>
        {deskText.overview.title}
      </a>
      <a href="#/accounts" aria-current={toCurrent(view === 'accounts' || view === 'account')}>
        {deskText.accounts.title}
      </a>
      <a href="#/reports" aria-current={toCurrent(view === 'reports')}>
        {deskText.reports.title}
      </a>
    </nav>
  );
}

/** Names the view in the title of the window, and moves the focus to its heading when the view changes. */
function useTitle(hasSignedIn: boolean): void {
  const route = deskRoute.value;
  const isFirst = useRef(!hasSignedIn);
  useEffect(() => {
    document.title = deskText.windowTitle(deskText[route.view].title);
    if (!isFirst.current) {
      scrollTo(0, 0);
      focusHeading();
    }
    isFirst.current = false;
  }, [route]);
  useEffect(
    () => () => {
      document.title = text.common.studio;
    },
    [],
  );
}

const focusHeading = () => document.querySelector<HTMLElement>('.desk h1')?.focus({ preventScroll: true });
