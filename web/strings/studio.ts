/** The strings that only a signed-in user reads, apart from `text` so that the sign-in does not load them. */
import { sharing, viewer } from './en/image.ts';
import { search, selecting } from './en/search.ts';

export const studioText = { search, selecting, sharing, viewer };
