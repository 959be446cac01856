import { useState } from 'preact/hooks';
import type { ReportReason } from '../../shared/contract.ts';
import { createClient } from '../client.ts';
import { reportDetailsCharactersMax } from '../limits.ts';
import { text } from '../strings/en.ts';
import { problemText } from '../strings/messages.ts';

// Anyone may report an image, so no token is sent.
const client = createClient({ token: async () => '' });

/** The form in which anyone reports a shared image. */
export function Report({ token }: { token: string }) {
  const [state, setState] = useState<'open' | 'busy' | 'sent'>('open');
  const [problem, setProblem] = useState('');

  async function send(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const details = String(fields.get('details')).trim();
    setState('busy');
    try {
      const reason = String(fields.get('reason')) as ReportReason;
      await client.report({ token, reason, ...(details && { details }) });
      setState('sent');
    } catch (error) {
      setProblem(problemText(error));
      setState('open');
    }
  }

  return (
    <main class="notice" id="main">
      <h1>{text.report.title}</h1>
      {state === 'sent' ? (
        <>
          <p role="status">{text.report.thanks}</p>
          <p>
            <a href="#/">{text.common.studio}</a>
          </p>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void send(event.currentTarget);
          }}
        >
          <label>
            {text.report.what}
            <select name="reason">
              {Object.entries(text.report.removalReasons).map(([reason, words]) => (
                <option key={reason} value={reason}>
                  {words}
                </option>
              ))}
            </select>
          </label>
          <label>
            {text.report.details}
            <textarea name="details" rows={4} maxLength={reportDetailsCharactersMax} />
          </label>
          {problem && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          <button type="submit" class="primary" disabled={state === 'busy'}>
            {text.report.send}
          </button>
        </form>
      )}
    </main>
  );
}
