/** The page of a signed-in user. Loaded apart from the sign-in, with its styles. */
import '../styles/layout.css';
import '../styles/composer.css';
import '../styles/gallery.css';
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLater } from '../components/useLater.ts';
import { announce } from '../state/announce.ts';
import { createPageState, type PageState, PageStateProvider, usePageState } from '../state/pageState.ts';
import { closeImage, type Route, route } from '../state/route.ts';
import { type FirebaseConfig, type PartProps, user } from '../state/session.ts';
import { text } from '../strings/en.ts';
import { Create } from './Create.tsx';
import { Header } from './Header.tsx';
import { NotLoaded } from './NotLoaded.tsx';
import { Shortcuts } from './Shortcuts.tsx';

export function Studio({ config, uid, hasSignedIn }: PartProps) {
  const pageState = usePageStateOfUser(config, uid);
  const isCredits = route.value.view === 'credits';
  const { view: Credits, error } = useLater(isCredits, loadCredits);
  const isBuying = pageState?.purchases.isDialogOpen.value ?? false;
  const { view: BuyDialog, error: buyError } = useLater(isBuying, loadBuyDialog);
  const isAsking = pageState?.terms.question.value !== undefined;
  const { view: TermsDialog, error: termsError } = useLater(isAsking, loadTermsDialog);
  const hasNotices = (pageState?.purchases.notices.value.length ?? 0) > 0;
  const { view: PaymentNotices, error: noticesError } = useLater(hasNotices, loadPaymentNotices);
  const isUnverified = user.value?.needsVerification ?? false;
  const { view: Verification, error: verificationError } = useLater(isUnverified, loadVerification);
  const problem = error ?? buyError ?? termsError ?? noticesError ?? verificationError;
  const routeBefore = useRouteBefore();
  const isReady = pageState !== undefined;
  useEffect(() => {
    // The form that had the focus has gone. A user who is quick may be elsewhere already.
    const isLost = document.activeElement === document.body;
    if (isReady && hasSignedIn && isLost) {
      document.getElementById(route.peek().view === 'credits' ? 'main' : 'create-title')?.focus();
    }
  }, [isReady, hasSignedIn]);
  if (!pageState) return null;
  return (
    <PageStateProvider value={pageState}>
      <Title />
      <Header />
      {problem !== undefined && <NotLoaded />}
      {Verification && <Verification />}
      {PaymentNotices && <PaymentNotices />}
      <main id="main" tabIndex={-1}>
        {/* Stays mounted under the viewer, so that the gallery keeps its scroll position. */}
        <Create hidden={route.value.view === 'credits'} />
        {route.value.view === 'credits' && Credits && <Credits routeBefore={routeBefore} />}
      </main>
      {route.value.view === 'image' && <LazyViewer id={route.value.id} />}
      <Shortcuts />
      {BuyDialog && <BuyDialog />}
      {/* After the others: it may open on top of them. */}
      {TermsDialog && <TermsDialog />}
    </PageStateProvider>
  );
}

const loadCredits = async () => (await import('./Credits.tsx')).Credits;
const loadTermsDialog = async () => (await import('./TermsDialog.tsx')).TermsDialog;
const loadPaymentNotices = async () => (await import('./PaymentNotices.tsx')).PaymentNotices;
const loadVerification = async () => (await import('./Verification.tsx')).Verification;
const loadBuyDialog = async () => (await import('./BuyDialog.tsx')).BuyDialog;

/** Creates the state when the user signs in, and closes it when the session ends for any reason. */
function usePageStateOfUser(config: FirebaseConfig, uid: string): PageState | undefined {
  const [pageState, setPageState] = useState<PageState | undefined>();
  useEffect(() => {
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

/** Undefined until the first change of this visit. */
function useRouteBefore(): Route | undefined {
  const seen = useRef<{ current: Route; before?: Route }>({ current: route.value });
  if (seen.current.current !== route.value) {
    seen.current = { current: route.value, before: seen.current.current };
  }
  return seen.current.before;
}

/** The title of the window names the view, or counts the images that are being made. */
function Title() {
  const { pendingGenerations } = usePageState();
  useSignalEffect(() => {
    const count = pendingGenerations.running.value.length;
    const { view } = route.value;
    const name = view === 'credits' ? text.header.credits : view === 'image' ? text.header.image : '';
    const idle = name === '' ? text.common.studio : text.header.windowTitle(name, text.common.studio);
    document.title = count > 0 ? text.header.making(count) : idle;
  });
  useEffect(
    () => () => {
      document.title = text.common.studio;
    },
    [],
  );
  return null;
}

/** Loads the viewer with the first image that is opened. */
function LazyViewer({ id }: { id: string }) {
  const [loaded, setLoaded] = useState<{ Viewer?: typeof import('./Viewer.tsx').Viewer }>({});
  useEffect(() => {
    import('./Viewer.tsx').then(
      ({ Viewer }) => setLoaded({ Viewer }),
      () => {
        announce(text.failures.onPage);
        closeImage();
      },
    );
  }, []);
  return loaded.Viewer ? <loaded.Viewer id={id} /> : null;
}
