import { useEffect, useState } from 'preact/hooks';
import type { AdminAccount } from '../../shared/contract.ts';
import { Button } from '../components/Button.tsx';
import { PurseDrawing } from '../components/drawings.tsx';
import { EmptyState } from '../components/EmptyState.tsx';
import { Field } from '../components/Field.tsx';
import { More } from '../components/More.tsx';
import { createPagedList } from '../state/pagedList.ts';
import { deskText } from '../strings/en/desk.ts';
import { text } from '../strings/en.ts';
import { timeText } from '../strings/format.ts';
import { deskClient } from './deskClient.ts';
import { toAccountHref, toAccountsHref } from './deskRoute.ts';
import { Flags } from './Flags.tsx';
import { LoadProblem } from './LoadProblem.tsx';

const { accounts: words } = deskText;

/** All accounts, newest first, or those that a text names. */
export function Accounts({ find }: { find: string }) {
  const [list] = useState(() => createAccountList(find));
  useEffect(() => void list.more(), [list]);
  const { items, state, isLoading, problem } = list;
  const found = items.value;
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>{words.title}</h1>
      </div>
      <Search find={find} />
      {find && state.value !== 'initial' && (
        <p class="row" role="status">
          {words.found(found.length, find)} <a href={toAccountsHref('')}>{words.showAll}</a>
        </p>
      )}
      <ul class="accounts">
        {found.map((account) => (
          <li key={account.uid}>
            <AccountRow account={account} find={find} />
          </li>
        ))}
      </ul>
      {found.length === 0 && state.value === 'complete' && (
        <EmptyState drawing={<PurseDrawing />} title={words.none} level="h2">
          {find && <p>{words.noneHint}</p>}
        </EmptyState>
      )}
      <LoadProblem
        problem={problem.value}
        isLoading={state.value === 'initial' && isLoading.value}
        onRetry={() => void list.more()}
      />
      {state.value === 'more' && !problem.value && (
        <More onMore={list.more} isLoading={isLoading.value} count={found.length} />
      )}
    </>
  );
}

/** The functions answer in the right order, so nothing is sorted here. */
const createAccountList = (find: string) =>
  createPagedList<AdminAccount & { id: string }>(
    async (pageToken) => {
      const { accounts, nextPageToken } = await deskClient.accounts(find, pageToken);
      return { items: accounts.map((account) => ({ ...account, id: account.uid })), nextPageToken };
    },
    () => 0,
  );

function Search({ find }: { find: string }) {
  const [value, setValue] = useState(find);
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          location.hash = toAccountsHref(value.trim());
        }}
      >
        <Field
          label={words.find}
          type="search"
          autocomplete="off"
          value={value}
          onValue={setValue}
          hint={words.findHint}
        />
        <Button type="submit" kind="primary" icon="search">
          {words.search}
        </Button>
      </form>
    </search>
  );
}

const isGenerationId = (find: string) => /^[0-9a-f]{32}$/.test(find);

/** A search for an image leads to that image. */
function AccountRow({ account, find }: { account: AdminAccount; find: string }) {
  const { uid, email, balance, usedAt, createdAt } = account;
  return (
    <a href={toAccountHref(uid, isGenerationId(find) && find !== uid ? find : undefined)}>
      <span class="who">
        <b>{email ?? uid}</b>
        <span class="quiet">{email ? uid : words.noEmail}</span>
      </span>
      <Flags account={account} />
      <span class="when quiet">
        {usedAt ? words.used(timeText(usedAt)) : words.unused}
        {createdAt && <span>{words.created(timeText(createdAt))}</span>}
      </span>
      <span class="number">{balance === null ? words.balanceUnknown : text.common.credits(balance)}</span>
    </a>
  );
}
