/** The start of a deployed function: FUNCTION_TARGET says which, PORT where. */
import { serve } from '../shared/server.ts';
import { functions } from './index.ts';

serve({ functions });
