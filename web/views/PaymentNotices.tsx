import { usePageState } from '../state/pageState.ts';
import { text } from '../strings/en.ts';
import { type PaymentNotice, paymentText } from '../strings/messages.ts';
import { ContactSupport } from './ContactSupport.tsx';

/** What became of the payments that were made on Stripe's page. */
export function PaymentNotices() {
  const { purchases } = usePageState();
  return (
    <>
      {purchases.notices.value.map((notice) => (
        <Notice key={notice.sessionId} notice={notice} />
      ))}
    </>
  );
}

function Notice({ notice }: { notice: PaymentNotice }) {
  const { purchases } = usePageState();
  const { state, sessionId } = notice;
  /** The button disappears with its notice. */
  const dismiss = () => {
    purchases.dismiss(sessionId);
    (document.getElementById('credits-title') ?? document.getElementById('prompt'))?.focus();
  };
  return (
    <section class="bar" aria-label={text.payments.title}>
      <p>
        {paymentText(notice)}{' '}
        {state === 'notCredited' && (
          <>
            <ContactSupport /> <code>{sessionId}</code>
          </>
        )}
      </p>
      {state !== 'confirming' && (
        <div class="row">
          {state === 'unknown' && (
            <button type="button" onClick={() => void purchases.checkAgain()}>
              {text.payments.checkAgain}
            </button>
          )}
          <button type="button" onClick={dismiss}>
            {text.common.dismiss}
          </button>
        </div>
      )}
    </section>
  );
}
