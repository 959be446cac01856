import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../client.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { useKeptFocus } from '../components/useKeptFocus.ts';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { imageHref, route } from '../state/route.ts';
import { endSession, user } from '../state/session.ts';
import { findAffordable, getPossibleAt, getWaysOut, type WayOut } from '../state/waysOut.ts';
import { text } from '../strings/en.ts';
import { timeOfDayText } from '../strings/format.ts';
import { errorReport, failureCreditsText, problemText } from '../strings/messages.ts';
import { SendConfirmation } from './SendConfirmation.tsx';

/** More cards than this would push the images off the screen: they are one line until the user opens it. */
const cardsMax = 2;

/** A card for each generation that failed: what happened, what it cost, and the way out. */
export function Failures() {
  const { pendingGenerations } = usePageState();
  const [isOpen, setIsOpen] = useState(false);
  const section = useRef<HTMLElement>(null);
  const failed = pendingGenerations.failed.value;
  const isShown = isOpen || failed.length <= cardsMax;
  useKeptFocus(section, isShown);
  const isEmpty = failed.length === 0;
  useEffect(() => {
    if (isEmpty) setIsOpen(false);
  }, [isEmpty]);
  if (isEmpty) return null;
  // Cards that the user is busy with stay open when another one comes.
  const open = () => setIsOpen(true);
  return (
    <section
      class="failures"
      ref={section}
      aria-labelledby="failures-title"
      onFocusIn={isShown ? open : undefined}
    >
      <h2 id="failures-title" class="visually-hidden">
        {text.failures.title}
      </h2>
      {isShown ? (
        failed.map((pending) => <FailureCard key={pending.key} pending={pending} />)
      ) : (
        <div class="failure several">
          <span class="sign">
            <Icon name="warning" />
          </span>
          <p class="state">{text.failures.several(failed.length)}</p>
          <Button aria-expanded={false} onClick={open}>
            {text.failures.show}
          </Button>
        </div>
      )}
    </section>
  );
}

const isRoute = (id: string) => route.value.view === 'image' && route.value.id === id;

/** In the viewer, the field for a change has the focus. */
const focusPrompt = () =>
  document.getElementById(route.value.view === 'image' ? 'change' : 'prompt')?.focus();

/**
 * The card is about to disappear: the focus goes to the same button of the next one, or to the title of the gallery. Not to a text
 * field, which would open the keyboard of a phone.
 */
function leaveCard(button: HTMLElement, selector: string): void {
  const card = button.closest('.failure');
  const others = [card?.nextElementSibling, card?.previousElementSibling];
  const next = others.find((other) => other?.matches('.failure'))?.querySelector<HTMLElement>(selector);
  const inViewer = card?.closest('dialog')?.querySelector<HTMLElement>('button');
  (next ?? inViewer ?? document.getElementById('gallery-title'))?.focus({ preventScroll: true });
}

/** @property onEdit called once the request is in the composer */
type CardProps = { pending: PendingGeneration; onEdit?: () => void };

export function FailureCard({ pending, onEdit = focusPrompt }: CardProps) {
  const { pendingGenerations } = usePageState();
  const [failedAt] = useState(Date.now);
  const progress = pending.progress.value;
  if (progress.state !== 'failed') return null;
  const { error } = progress;
  const code = error instanceof ApiError ? error.metadata.generationId : undefined;
  const possibleAt = getPossibleAt(error, failedAt);
  const copy = async () => {
    await navigator.clipboard.writeText(errorReport(error, pending.key));
    announce(text.failures.copied);
  };
  return (
    <article class="failure" aria-label={pending.request.prompt}>
      <span class="sign">
        <Icon name="warning" />
      </span>
      <div class="about">
        <p class="state">{problemText(error)}</p>
        <p>
          {failureCreditsText(error)}
          {possibleAt !== undefined && ` ${text.failures.from(timeOfDayText(possibleAt))}`}
        </p>
        <p class="quiet clamp" dir="auto">
          {pending.request.prompt}
        </p>
        {code && (
          <p class="quiet code" title={code}>
            {text.failures.supportCode(code)}
          </p>
        )}
        <WaysOut pending={pending} error={error} onEdit={onEdit}>
          <Button kind="plain" icon="copy" onClick={() => void copy()}>
            {text.failures.copy}
          </Button>
        </WaysOut>
      </div>
      <IconButton
        icon="close"
        label={text.common.dismiss}
        isSmall
        look="plain dismiss"
        onClick={({ currentTarget }) => {
          leaveCard(currentTarget, '.dismiss');
          pendingGenerations.dismiss(pending.key);
        }}
      />
    </article>
  );
}

type WaysOutProps = {
  pending: PendingGeneration;
  error: unknown;
  onEdit: () => void;
  children: preact.ComponentChildren;
};

function WaysOut({ pending, error, onEdit, children }: WaysOutProps) {
  const { account, purchases, draft, pendingGenerations, memory } = usePageState();
  const { metadata, reason } = error instanceof ApiError ? error : { metadata: {} as ApiError['metadata'] };
  const { editOf, prompt } = pending.request;
  const balance = account.balance.value?.balance ?? 0;
  // An edit has the size of its image.
  const smaller =
    editOf === undefined ? findAffordable(pending.request, account.tiers.value, balance) : undefined;
  const ways = getWaysOut(error, {
    hasCredits: balance >= Number(metadata.required ?? Number.POSITIVE_INFINITY),
    isSold: Boolean(purchases.packs.value?.length),
    isSuspended: account.suspended.value,
    isUnconfirmed: user.value?.needsVerification ?? false,
    canBeSmaller: smaller !== undefined,
  });

  /** The card disappears with its request in the composer, and the focus moves there. */
  const edit = (request = pending.request) => {
    pendingGenerations.dismiss(pending.key);
    // An edit is written under its image.
    if (editOf !== undefined && reason !== 'NOT_FOUND') {
      draft.setChange(editOf, prompt);
      if (isRoute(editOf)) focusPrompt();
      else location.hash = imageHref(editOf);
      return;
    }
    draft.edit(request);
    onEdit();
  };
  const retry = (button: HTMLElement) => {
    leaveCard(button, '.row button');
    pendingGenerations.retry(pending);
  };
  const signOut = () => void memory.clear().then(() => endSession());
  type Action = { label: string; act: (button: HTMLElement) => void };
  const actions: Record<Exclude<WayOut, 'support' | 'confirmAddress'>, Action> = {
    tryAgain: { label: text.failures.tryAgain, act: retry },
    checkAgain: { label: text.failures.checkAgain, act: retry },
    readTerms: { label: text.failures.readTerms, act: retry },
    editPrompt: { label: text.failures.editPrompt, act: () => edit() },
    editReferences: { label: text.failures.editReferences, act: () => edit() },
    editRequest: { label: text.failures.editRequest, act: () => edit() },
    smaller: { label: text.failures.smaller, act: () => edit(smaller) },
    buy: { label: text.failures.buy, act: purchases.open },
    signOut: { label: text.failures.signOut, act: signOut },
  };
  return (
    <>
      {ways.includes('confirmAddress') && <p>{text.failures.confirmFirst(user.value?.email ?? '')}</p>}
      <div class="row">
        {ways.map((way) => {
          if (way === 'support') return <Support key={way} code={metadata.generationId} />;
          if (way === 'confirmAddress') return <SendConfirmation key={way} />;
          const { label, act } = actions[way];
          return (
            <Button
              key={way}
              {...(way === 'buy' && { 'aria-haspopup': 'dialog' })}
              onClick={({ currentTarget }) => act(currentTarget)}
            >
              {label}
            </Button>
          );
        })}
        {children}
      </div>
    </>
  );
}

/** The support code names the generation to support, and the user can send it with one click. */
function Support({ code }: { code: string | undefined }) {
  const { supportEmail } = usePageState().account;
  const subject = code ? `?subject=${encodeURIComponent(text.failures.mailSubject(code))}` : '';
  const copyCode = async () => {
    await navigator.clipboard.writeText(code ?? '');
    announce(text.failures.codeCopied);
  };
  return (
    <>
      {supportEmail.value && (
        <a class="button" href={`mailto:${supportEmail.value}${subject}`}>
          {text.failures.contact}
        </a>
      )}
      {code && (
        <Button kind="plain" icon="copy" onClick={() => void copyCode()}>
          {text.failures.copyCode}
        </Button>
      )}
    </>
  );
}
