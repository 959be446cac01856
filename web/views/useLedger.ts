import { createLedger } from '../state/ledger.ts';
import { usePageState } from '../state/pageState.ts';

/** The ledger of the signed-in user. */
export const useLedger = () => usePageState().openLedger(createLedger);
