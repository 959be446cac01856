/** The strings that only a signed-in user reads, apart from `text` so that the sign-in does not load them. */
import { sharing, viewer } from './en/image.ts';

export const studioText = { sharing, viewer };
