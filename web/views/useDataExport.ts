import { createDataExport } from '../state/dataExport.ts';
import { usePageState } from '../state/pageState.ts';

/** The export of the signed-in user's data. */
export const useDataExport = () => usePageState().openDataExport(createDataExport);
