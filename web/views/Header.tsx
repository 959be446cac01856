import { useEffect, useRef, useState } from 'preact/hooks';
import { usePageState } from '../state/pageState.ts';
import { route } from '../state/route.ts';
import { endSession, user } from '../state/session.ts';
import { credits } from '../words.ts';
import { AccountDialog } from './AccountDialog.tsx';
import { ContactSupport } from './ContactSupport.tsx';
import { Icon } from './Icon.tsx';

export function Header() {
  const { account } = usePageState();
  const { view } = route.value;
  const balance = account.balance.value?.balance;
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <header class="top">
        <a class="brand" href="#/" aria-label="Nano Banana Studio">
          <span class="mark">
            <Icon name="banana" />
          </span>
          <span class="name">Nano Banana Studio</span>
        </a>
        <nav aria-label="Main">
          <a href="#/" aria-current={view !== 'credits' ? 'page' : undefined}>
            Create
          </a>
          <a href="#/credits" aria-current={view === 'credits' ? 'page' : undefined}>
            Credits
          </a>
        </nav>
        <p class="balance" data-testid="balance">
          {balance === undefined ? '… credits' : credits(balance)}
        </p>
        <AccountMenu />
      </header>
      {account.suspended.value && (
        <p class="bar" role="alert">
          This account is suspended, so it cannot generate images. Please contact support. <ContactSupport />
        </p>
      )}
      {account.problem.value && (
        <div class="bar" role="alert">
          <p>
            {account.problem.value} <ContactSupport />
          </p>
          <button type="button" onClick={() => void account.load()}>
            Try again
          </button>
        </div>
      )}
    </>
  );
}

/** A button instead of a link to `#main`, because the router owns the hash. */
function skip(): void {
  const main = document.querySelector<HTMLElement>('main');
  main?.querySelector<HTMLElement>('textarea, h1, a, button')?.focus();
}

function AccountMenu() {
  const { memory, pendingGenerations } = usePageState();
  const [isOpen, setIsOpen] = useState(false);
  const [isAccountShown, setIsAccountShown] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen) return;
    const leave = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) setIsOpen(false);
    };
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setIsOpen(false);
      button.current?.focus();
    };
    document.addEventListener('pointerdown', leave);
    document.addEventListener('focusin', leave);
    document.addEventListener('keydown', closeByKey);
    return () => {
      document.removeEventListener('pointerdown', leave);
      document.removeEventListener('focusin', leave);
      document.removeEventListener('keydown', closeByKey);
    };
  }, [isOpen]);

  const signOut = async () => {
    pendingGenerations.close();
    await memory.clear();
    await endSession();
  };

  return (
    <div class="menu" ref={menu}>
      <button
        type="button"
        class="round"
        ref={button}
        aria-label="Account"
        aria-expanded={isOpen}
        aria-controls="account-menu"
        onClick={() => setIsOpen(!isOpen)}
      >
        <Icon name="person" />
      </button>
      <div id="account-menu" class="popover" hidden={!isOpen}>
        <p class="quiet">{user.value?.email}</p>
        <button
          type="button"
          class="wide"
          onClick={() => {
            setIsOpen(false);
            setIsAccountShown(true);
          }}
        >
          Your account
        </button>
        <button type="button" class="wide" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
      {isAccountShown && (
        <AccountDialog onClose={() => setIsAccountShown(false)} focusAfter={() => button.current} />
      )}
    </div>
  );
}
