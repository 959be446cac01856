import type { FunctionComponent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Announcer } from './components/Announcer.tsx';
import { useLater } from './components/useLater.ts';
import { isDeskAddress, route } from './state/route.ts';
import { type FirebaseConfig, isAdmin, type PartProps, user } from './state/session.ts';
import { firstText as text } from './strings/first.ts';
import { CannotOpen } from './views/CannotOpen.tsx';
import { SignIn } from './views/SignIn.tsx';

/** The parts of the page that are loaded once somebody is signed in. Only admins load the desk. */
const parts = {
  studio: () => import('./views/Studio.tsx').then(({ Studio }) => Studio),
  desk: () => import('./desk/Desk.tsx').then(({ Desk }) => Desk),
};
type PartName = keyof typeof parts;
type Part = FunctionComponent<PartProps>;

export function App({ config }: { config: FirebaseConfig }) {
  const uid = user.value?.uid;
  const name = uid === undefined ? undefined : choosePart();
  const { Part, error } = usePart(name);
  const before = useSessionBefore(uid);
  const isReport = route.value.view === 'report';
  const { view: Report, error: reportError } = useLater(isReport, loadReport);
  if (error ?? reportError) return <CannotOpen />;
  if (route.value.view === 'report') {
    return Report ? <Report token={route.value.token} /> : <p class="boot">{text.common.opening}</p>;
  }
  if (user.value === undefined || (uid !== undefined && !Part)) {
    return <p class="boot">{text.common.opening}</p>;
  }
  return (
    <>
      {uid !== undefined && Part ? (
        <Part key={uid} config={config} uid={uid} hasSignedIn={before === null} />
      ) : (
        <SignIn isLocal={config.emulators !== undefined} hasSignedOut={typeof before === 'string'} />
      )}
      <Announcer />
    </>
  );
}

/** The uid before the last change; null if nobody was signed in; undefined if nothing has changed in this visit. */
function useSessionBefore(uid: string | undefined): string | null | undefined {
  const seen = useRef<Record<'current' | 'before', string | null | undefined>>({
    current: undefined,
    before: undefined,
  });
  const current = user.value === undefined ? undefined : (uid ?? null);
  if (current !== seen.current.current) seen.current = { current, before: seen.current.current };
  return seen.current.before;
}

const loadReport = async () => (await import('./views/Report.tsx')).Report;

/** Undefined while it is not known whether the user is an admin. Whoever is none gets the studio. */
function choosePart(): PartName | undefined {
  if (!isDeskAddress() || isAdmin.value === false) return 'studio';
  return isAdmin.value ? 'desk' : undefined;
}

type Loaded = { name?: PartName; Part?: Part; error?: unknown };

function usePart(name: PartName | undefined): Pick<Loaded, 'Part' | 'error'> {
  const [loaded, setLoaded] = useState<Loaded>({});
  useEffect(() => {
    if (name === undefined) return;
    let isCurrent = true;
    parts[name]().then(
      (Part: Part) => isCurrent && setLoaded({ name, Part }),
      (error) => isCurrent && setLoaded({ error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [name]);
  return loaded.error || loaded.name === name ? loaded : {};
}
