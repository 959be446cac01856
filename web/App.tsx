import { useEffect, useState } from 'preact/hooks';
import { createPageState, type PageState, PageStateProvider } from './state/pageState.ts';
import { route } from './state/route.ts';
import { type FirebaseConfig, user } from './state/session.ts';
import { Announcer } from './views/Announcer.tsx';
import { Create } from './views/Create.tsx';
import { Credits } from './views/Credits.tsx';
import { Header } from './views/Header.tsx';
import { Shortcuts } from './views/Shortcuts.tsx';
import { SignIn } from './views/SignIn.tsx';
import { TermsDialog } from './views/TermsDialog.tsx';
import { Verification } from './views/Verification.tsx';
import { Viewer } from './views/Viewer.tsx';

export function App({ config }: { config: FirebaseConfig }) {
  const pageState = usePageStateOfUser(config, user.value?.uid);
  if (user.value === undefined) return <p class="boot">Opening the studio …</p>;
  return (
    <>
      {user.value === null && <SignIn isLocal={config.emulators !== undefined} />}
      {user.value !== null && pageState && (
        <PageStateProvider value={pageState}>
          <Header />
          <Verification />
          <main id="main">
            {/* Stays mounted under the viewer, so that the gallery keeps its scroll position. */}
            <Create hidden={route.value.view === 'credits'} />
            {route.value.view === 'credits' && <Credits />}
          </main>
          {route.value.view === 'image' && <Viewer id={route.value.id} />}
          <Shortcuts />
          <TermsDialog />
        </PageStateProvider>
      )}
      <Announcer />
    </>
  );
}

/** Creates the state when the user signs in, and closes it when the session ends for any reason. */
function usePageStateOfUser(config: FirebaseConfig, uid: string | undefined): PageState | undefined {
  const [pageState, setPageState] = useState<PageState | undefined>();
  useEffect(() => {
    if (uid === undefined) return;
    const created = createPageState(config, uid);
    setPageState(created);
    created.start();
    return () => {
      created.close();
      // Sign-out has cleared the memory already, but another window or a late answer may have written to it since.
      void created.memory.clear();
      setPageState(undefined);
    };
  }, [config, uid]);
  return pageState;
}
