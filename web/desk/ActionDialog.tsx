import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isSettled } from '../client.ts';
import { Button } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { Spinner } from '../components/Spinner.tsx';
import { deskText } from '../strings/en/desk.ts';
import { reasonCharactersMax } from './limits.ts';
import { deskProblemText } from './problems.ts';

const { actions: words } = deskText;

export type ActionEvents = { onClose: () => void; onDone: (message: string) => void };

type Props = ActionEvents & {
  title: string;
  /** Further fields of the form. */
  children?: ComponentChildren;
  /** Who sees the reason. Without it the action needs none, and is confirmed at once. */
  reasonHint?: string;
  /** What will happen, in sentences that name the account and the numbers. */
  sentence: string;
  /** The button that does it. */
  confirm: string;
  isDangerous?: boolean;
  /** Does it. It may be called again after an unknown outcome. @returns what has happened, as a sentence */
  perform: (reason: string) => Promise<string>;
  /** Called when an attempt has failed for good. */
  onRefused?: () => void;
};

/** Asks for what an action needs, says what will happen, and does it when the admin confirms. */
export function ActionDialog(props: Props) {
  const { title, reasonHint, onClose, onDone, perform, onRefused } = props;
  const [reason, setReason] = useState('');
  const [isAsking, setIsAsking] = useState(reasonHint !== undefined);
  const [state, setState] = useState<{ problem: string; isUncertain: boolean }>({
    problem: '',
    isUncertain: false,
  });
  const [isBusy, setIsBusy] = useState(false);
  const busy = useRef(false);

  async function act(): Promise<void> {
    // Preact renders the disabled button later than a second click may come.
    if (busy.current) return;
    busy.current = true;
    setIsBusy(true);
    try {
      onDone(await perform(reason.trim()));
    } catch (error) {
      const isUncertain = !isSettled(error);
      if (!isUncertain) onRefused?.();
      setState({ problem: deskProblemText(error), isUncertain });
    }
    busy.current = false;
    setIsBusy(false);
  }

  return (
    <Dialog
      title={title}
      class="sheet desk-dialog"
      onClose={isBusy ? () => {} : onClose}
      focusAfter={findFocus}
    >
      <h2>{title}</h2>
      {isAsking ? (
        <Form
          {...props}
          reason={reason}
          onReason={setReason}
          onContinue={() => {
            setState({ problem: '', isUncertain: false });
            setIsAsking(false);
          }}
        />
      ) : (
        <Confirmation
          {...props}
          reason={reason.trim()}
          {...state}
          isBusy={isBusy}
          onConfirm={() => void act()}
          onBack={reasonHint === undefined ? undefined : () => setIsAsking(true)}
        />
      )}
    </Dialog>
  );
}

/** The button that opened the dialog may be gone by then. */
function findFocus(): HTMLElement | null {
  const isLost = document.activeElement === null || document.activeElement === document.body;
  return isLost ? document.querySelector<HTMLElement>('.desk h1') : null;
}

type FormProps = Pick<Props, 'children' | 'reasonHint' | 'onClose'> & {
  reason: string;
  onReason: (reason: string) => void;
  onContinue: () => void;
};

function Form({ children, reasonHint, reason, onReason, onContinue, onClose }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  // After the dialog has opened, because it moves the focus itself.
  useEffect(() => form.current?.querySelector<HTMLElement>('input:not([type=radio]), textarea')?.focus(), []);
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        onContinue();
      }}
    >
      {children}
      <label class="field">
        {words.reason}
        <textarea
          rows={3}
          required
          maxLength={reasonCharactersMax}
          value={reason}
          onInput={({ currentTarget }) => {
            currentTarget.setCustomValidity(currentTarget.value.trim() ? '' : words.reasonNeeded);
            onReason(currentTarget.value);
          }}
        />
        <span class="hint">{reasonHint}</span>
      </label>
      <div class="row end">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" kind="primary">
          {words.continue}
        </Button>
      </div>
    </form>
  );
}

type ConfirmationProps = Pick<Props, 'sentence' | 'confirm' | 'isDangerous' | 'onClose'> & {
  reason: string;
  problem: string;
  isUncertain: boolean;
  isBusy: boolean;
  onConfirm: () => void;
  onBack: (() => void) | undefined;
};

function Confirmation(props: ConfirmationProps) {
  const { sentence, reason, problem, isUncertain, isBusy, onConfirm, onBack, onClose } = props;
  const text = useRef<HTMLParagraphElement>(null);
  // Screen readers read what will happen before the buttons. After the dialog has opened, because it moves the focus.
  useEffect(() => text.current?.focus(), []);
  return (
    <>
      <p class="sentence" ref={text} tabIndex={-1} dir="auto">
        {sentence}
      </p>
      {reason && <p class="quiet">{words.because(reason)}</p>}
      {problem && (
        <p class="problem" role="alert">
          {problem} {isUncertain && words.uncertain}
        </p>
      )}
      <div class="row end">
        {/* With an unknown outcome, another request could do it twice. */}
        {!isUncertain && (
          <Button aria-disabled={isBusy} onClick={isBusy ? () => {} : (onBack ?? onClose)}>
            {onBack ? words.back : words.cancel}
          </Button>
        )}
        <Button kind={props.isDangerous ? 'danger' : 'primary'} aria-disabled={isBusy} onClick={onConfirm}>
          {isBusy && <Spinner />}
          {isUncertain ? words.tryAgain : props.confirm}
        </Button>
      </div>
    </>
  );
}
