import { useState } from 'preact/hooks';
import { ApiError } from '../client.ts';
import { Button, IconButton } from '../components/Button.tsx';
import { Icon } from '../components/Icon.tsx';
import { announce } from '../state/announce.ts';
import { usePageState } from '../state/pageState.ts';
import type { PendingGeneration } from '../state/pendingGenerations.ts';
import { imageHref, route } from '../state/route.ts';
import { endSession } from '../state/session.ts';
import { getPossibleAt, getWaysOut, type WayOut } from '../state/waysOut.ts';
import { text } from '../strings/en.ts';
import { timeOfDayText } from '../strings/format.ts';
import { errorReport, failureCreditsText, problemText } from '../strings/messages.ts';

/** A card for each generation that failed: what happened, what it cost, and the way out. */
export function Failures() {
  const { pendingGenerations } = usePageState();
  const failed = pendingGenerations.failed.value;
  if (failed.length === 0) return null;
  return (
    <section class="failures" aria-label={text.failures.title}>
      {failed.map((pending) => (
        <FailureCard key={pending.key} pending={pending} />
      ))}
    </section>
  );
}

const isRoute = (id: string) => route.value.view === 'image' && route.value.id === id;

/** In the viewer, the field for a change has the focus. */
const focusPrompt = () =>
  document.getElementById(route.value.view === 'image' ? 'change' : 'prompt')?.focus();

/** @property onEdit called once the request is in the composer */
type CardProps = { pending: PendingGeneration; onEdit?: () => void };

export function FailureCard({ pending, onEdit = focusPrompt }: CardProps) {
  const { pendingGenerations } = usePageState();
  const [failedAt] = useState(Date.now);
  const progress = pending.progress.value;
  if (progress.state !== 'failed') return null;
  const { error } = progress;
  const possibleAt = getPossibleAt(error, failedAt);
  const code = error instanceof ApiError ? error.metadata.generationId : undefined;
  const dismiss = () => {
    pendingGenerations.dismiss(pending.key);
    focusPrompt();
  };
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
        {code && <p class="quiet">{text.failures.supportCode(code)}</p>}
        <div class="row">
          <WaysOut pending={pending} error={error} onEdit={onEdit} />
          <Button kind="plain" icon="copy" onClick={() => void copy()}>
            {text.failures.copy}
          </Button>
        </div>
      </div>
      <IconButton icon="close" label={text.common.dismiss} isSmall look="plain" onClick={dismiss} />
    </article>
  );
}

type WaysOutProps = { pending: PendingGeneration; error: unknown; onEdit: () => void };

function WaysOut({ pending, error, onEdit }: WaysOutProps) {
  const { account, purchases, draft, pendingGenerations, memory } = usePageState();
  const { metadata, reason } = error instanceof ApiError ? error : { metadata: {} as ApiError['metadata'] };
  const ways = getWaysOut(error, {
    hasCredits:
      (account.balance.value?.balance ?? 0) >= Number(metadata.required ?? Number.POSITIVE_INFINITY),
    isSold: Boolean(purchases.packs.value?.length),
    isSuspended: account.suspended.value,
  });

  /** The card disappears with its request in the composer, and the focus moves there. */
  const edit = () => {
    const { editOf, prompt } = pending.request;
    pendingGenerations.dismiss(pending.key);
    // An edit is written under its image.
    if (editOf !== undefined && reason !== 'NOT_FOUND') {
      draft.setChange(editOf, prompt);
      if (isRoute(editOf)) focusPrompt();
      else location.hash = imageHref(editOf);
      return;
    }
    draft.edit(pending.request);
    onEdit();
  };
  const retry = () => {
    pendingGenerations.retry(pending);
    focusPrompt();
  };
  const signOut = () => void memory.clear().then(() => endSession());
  const actions: Record<Exclude<WayOut, 'support'>, { label: string; act: () => void }> = {
    tryAgain: { label: text.failures.tryAgain, act: retry },
    checkAgain: { label: text.failures.checkAgain, act: retry },
    readTerms: { label: text.failures.readTerms, act: retry },
    editPrompt: { label: text.failures.editPrompt, act: edit },
    editReferences: { label: text.failures.editReferences, act: edit },
    editRequest: { label: text.failures.editRequest, act: edit },
    smaller: { label: text.failures.smaller, act: edit },
    buy: { label: text.failures.buy, act: purchases.open },
    signOut: { label: text.failures.signOut, act: signOut },
  };
  return (
    <>
      {ways.map((way, i) =>
        way === 'support' ? (
          <Support key={way} code={metadata.generationId} />
        ) : (
          <Button
            key={way}
            {...(i === 0 && { kind: 'primary' })}
            {...(way === 'buy' && { 'aria-haspopup': 'dialog' })}
            onClick={actions[way].act}
          >
            {actions[way].label}
          </Button>
        ),
      )}
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
