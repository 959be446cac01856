import { useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { Mark } from '../components/Mark.tsx';
import { Popover } from '../components/Popover.tsx';
import { useLater } from '../components/useLater.ts';
import { isOnline } from '../state/connection.ts';
import { usePageState } from '../state/pageState.ts';
import { isDeskAddress, route } from '../state/route.ts';
import { endSession, isAdmin, user } from '../state/session.ts';
import { text } from '../strings/en.ts';
import { ContactSupport } from './ContactSupport.tsx';
import { NotLoaded } from './NotLoaded.tsx';
import { SkipLink } from './SkipLink.tsx';

export function Header() {
  const { view } = route.value;
  const [isAccountShown, setIsAccountShown] = useState(false);
  const { view: AccountDialog, error } = useLater(isAccountShown, loadAccountDialog);
  return (
    <>
      <SkipLink />
      <header class="top">
        <a class="brand" href="#/" aria-label={text.common.studio}>
          <Mark />
          <span class="name">{text.common.studio}</span>
        </a>
        <nav aria-label={text.header.main}>
          <a href="#/" aria-current={view !== 'credits' ? 'page' : undefined}>
            {text.header.create}
          </a>
          <a href="#/credits" aria-current={view === 'credits' ? 'page' : undefined}>
            {text.header.credits}
          </a>
        </nav>
        <HeaderBalance />
        <AccountMenu onAccount={() => setIsAccountShown(true)} />
      </header>
      {error !== undefined && <NotLoaded />}
      {isAccountShown && AccountDialog && (
        <AccountDialog onClose={() => setIsAccountShown(false)} focusAfter={findMenuButton} />
      )}
      <AccountProblems />
    </>
  );
}

function AccountProblems() {
  const { account } = usePageState();
  return (
    <>
      {!isOnline.value && (
        <p class="bar" role="status">
          {text.header.offline}
        </p>
      )}
      {isDeskAddress() && isAdmin.value === false && (
        <p class="bar" role="alert">
          {text.header.deskRefused}
        </p>
      )}
      {account.suspended.value && (
        <p class="bar" role="alert">
          <span>
            {text.header.suspended} <ContactSupport />
          </span>
        </p>
      )}
      {account.problem.value && (
        <div class="bar" role="alert">
          <p>
            {account.problem.value} <ContactSupport />
          </p>
          <Button onClick={() => void account.load()}>{text.common.tryAgain}</Button>
        </div>
      )}
    </>
  );
}

/** The balance; where credits are sold, a button that opens the packs. */
function HeaderBalance() {
  const { account, purchases } = usePageState();
  const balance = account.balance.value?.balance;
  const words = balance === undefined ? text.header.balanceUnknown : text.common.credits(balance);
  if (!purchases.packs.value?.length) {
    return (
      <p class="balance" data-testid="balance">
        {words}
      </p>
    );
  }
  return (
    <button
      type="button"
      class="balance"
      data-testid="balance"
      aria-haspopup="dialog"
      aria-label={`${words}${text.header.buyHint}`}
      onClick={purchases.open}
    >
      {words}
      <Icon name="plus" />
    </button>
  );
}

const findMenuButton = () => document.querySelector<HTMLElement>('.top .popover-holder > button');

const loadAccountDialog = async () => (await import('./AccountDialog.tsx')).AccountDialog;

function AccountMenu({ onAccount }: { onAccount: () => void }) {
  const { memory, pendingGenerations } = usePageState();
  const signOut = async () => {
    pendingGenerations.close();
    await memory.clear();
    await endSession();
  };
  return (
    <Popover label={text.header.account} icon="person">
      {(close) => (
        <>
          <p class="quiet">{user.value?.email}</p>
          <Button
            isWide
            onClick={() => {
              close();
              onAccount();
            }}
          >
            {text.header.yourAccount}
          </Button>
          {isAdmin.value && (
            <a class="button wide" href="/studio/desk">
              {text.header.desk}
            </a>
          )}
          <Button isWide onClick={() => void signOut()}>
            {text.header.signOut}
          </Button>
        </>
      )}
    </Popover>
  );
}
