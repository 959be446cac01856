import type { FunctionComponent } from 'preact';
import { Announcer } from './components/Announcer.tsx';
import { useLater } from './components/useLater.ts';
import { route } from './state/route.ts';
import { type FirebaseConfig, user } from './state/session.ts';
import { firstText as text } from './strings/first.ts';
import { CannotOpen } from './views/CannotOpen.tsx';
import { SignIn } from './views/SignIn.tsx';

type StudioComponent = FunctionComponent<{ config: FirebaseConfig; uid: string }>;
type ReportComponent = FunctionComponent<{ token: string }>;

export function App({ config }: { config: FirebaseConfig }) {
  const uid = user.value?.uid;
  const isReport = route.value.view === 'report';
  const { view: Report, error: reportError } = useLater(isReport, loadReport);
  const { view: Studio, error } = useLater(uid !== undefined && !isReport, loadStudio);
  if (error ?? reportError) return <CannotOpen error={error ?? reportError} />;
  if (route.value.view === 'report') {
    return Report ? <Report token={route.value.token} /> : <p class="boot">{text.common.opening}</p>;
  }
  if (user.value === undefined || (uid !== undefined && !Studio)) {
    return <p class="boot">{text.common.opening}</p>;
  }
  return (
    <>
      {uid !== undefined && Studio ? (
        <Studio key={uid} config={config} uid={uid} />
      ) : (
        <SignIn isLocal={config.emulators !== undefined} />
      )}
      <Announcer />
    </>
  );
}

const loadStudio = async (): Promise<StudioComponent> => (await import('./views/Studio.tsx')).Studio;
const loadReport = async (): Promise<ReportComponent> => (await import('./views/Report.tsx')).Report;
