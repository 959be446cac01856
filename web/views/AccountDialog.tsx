import '../styles/account.css';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Button } from '../components/Button.tsx';
import { Dialog } from '../components/Dialog.tsx';
import { OutsideLink } from '../components/OutsideLink.tsx';
import { Segments } from '../components/Segments.tsx';
import { useKeptFocus } from '../components/useKeptFocus.ts';
import { usePageState } from '../state/pageState.ts';
import { isNotifying, setNotifying, setTheme, theme } from '../state/preferences.ts';
import { user } from '../state/session.ts';
import { accountText as text } from '../strings/account.ts';
import { wholeTimeText } from '../strings/format.ts';
import { ChangePassword } from './ChangePassword.tsx';
import { CloseAccount } from './CloseAccount.tsx';
import { ContactSupport } from './ContactSupport.tsx';
import { useDataExport } from './useDataExport.ts';

type Props = { onClose: () => void; focusAfter: () => HTMLElement | null };

/** The user's account: the page's looks, the data, the sign-in, terms and support, and the end of it all. */
export function AccountDialog({ onClose, focusAfter }: Props) {
  return (
    <Dialog title={text.account.title} class="sheet account" onClose={onClose} focusAfter={focusAfter}>
      <Person />
      <Part title={text.account.page}>
        <Preferences />
      </Part>
      <Part title={text.account.data}>
        <ExportButtons />
      </Part>
      <SignInPart />
      <Legal />
      <CloseAccount />
      <div class="row end">
        <Button onClick={onClose}>{text.common.close}</Button>
      </div>
    </Dialog>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Person() {
  const { email = '', providers = [] } = user.value ?? {};
  const names = providers.map((provider) => text.account.providers[provider] ?? provider);
  return (
    <div class="person">
      <span class="letter" aria-hidden="true">
        {email.slice(0, 1).toUpperCase()}
      </span>
      <div>
        <h2>{text.account.title}</h2>
        <p dir="auto">{email}</p>
        {names.length > 0 && <p class="quiet">{text.account.signsInWith(names.join(', '))}</p>}
      </div>
    </div>
  );
}

const themes = (['system', 'light', 'dark'] as const).map((value) => ({
  value,
  label: text.account.themes[value],
}));

function Preferences() {
  const [isRefused, setIsRefused] = useState(false);
  const change = async (isWanted: boolean) => {
    const isOn = await setNotifying(isWanted);
    setIsRefused(isWanted && !isOn);
  };
  return (
    <>
      <Segments
        name="theme"
        legend={text.account.theme}
        choices={themes}
        value={theme.value}
        onChange={setTheme}
      />
      {'Notification' in globalThis && (
        <label class="check">
          <input
            type="checkbox"
            checked={isNotifying.value}
            onChange={({ currentTarget }) => {
              const isWanted = currentTarget.checked;
              // Checked only once the browser has agreed.
              currentTarget.checked = isNotifying.value;
              void change(isWanted);
            }}
          />
          {text.account.notify}
        </label>
      )}
      {isRefused && (
        <p class="problem" role="alert">
          {text.account.notifyRefused}
        </p>
      )}
    </>
  );
}

/** Firebase ends other sessions of a user whose password changes. It has no other way to do it from the page. */
function SignInPart() {
  const hasPassword = user.value?.hasPassword;
  return (
    <Part title={text.account.session}>
      {hasPassword && <ChangePassword />}
      <h4>{text.account.signOutEverywhere}</h4>
      <p class="quiet">
        {hasPassword ? text.account.signOutEverywherePassword : text.account.signOutEverywhereOther}
      </p>
    </Part>
  );
}

function Legal() {
  const { account } = usePageState();
  const { acceptedAt, termsUrl, privacyUrl } = account.terms.value ?? {};
  const support = account.supportEmail.value;
  if (!acceptedAt && !termsUrl && !privacyUrl && !support) return null;
  return (
    <Part title={text.account.legal}>
      {acceptedAt && <p class="quiet">{text.account.termsAccepted(wholeTimeText(acceptedAt))}</p>}
      {(termsUrl || privacyUrl) && (
        <p class="row links">
          {termsUrl && <OutsideLink href={termsUrl}>{text.account.terms}</OutsideLink>}
          {privacyUrl && <OutsideLink href={privacyUrl}>{text.account.privacy}</OutsideLink>}
        </p>
      )}
      {support && (
        <p>
          {text.account.support}
          <ContactSupport />
        </p>
      )}
    </Part>
  );
}

/** The export goes on if the dialog closes. */
function ExportButtons() {
  const { state } = useDataExport().progress.value;
  const holder = useRef<HTMLDivElement>(null);
  useKeptFocus(holder, state);
  return (
    <div class="changing" ref={holder}>
      <ExportState />
    </div>
  );
}

function ExportState() {
  const dataExport = useDataExport();
  const progress = dataExport.progress.value;
  if (progress.state === 'running') {
    return (
      <>
        <p>
          {progress.total === undefined
            ? text.account.reading
            : text.account.exportProgress(progress.done, progress.total)}
        </p>
        {progress.total !== undefined && (
          <progress
            aria-label={text.account.images}
            value={progress.done}
            max={Math.max(1, progress.total)}
          />
        )}
        <div class="row">
          <Button onClick={dataExport.cancel}>{text.account.cancelExport}</Button>
        </div>
      </>
    );
  }
  return (
    <>
      <p class="quiet">{text.account.exportExplained}</p>
      <div class="row">
        <Button onClick={() => void dataExport.saveJson()}>{text.account.exportData}</Button>
        <Button onClick={() => void dataExport.saveZip()}>{text.account.exportWithImages}</Button>
      </div>
      {progress.state === 'done' && <p role="status">{doneText(progress.missing)}</p>}
      {progress.state === 'failed' && (
        <p class="problem" role="alert">
          {progress.problem}
        </p>
      )}
    </>
  );
}

const doneText = (missing: number) =>
  missing === 0 ? text.common.exported : text.account.exportedWithout(missing);
