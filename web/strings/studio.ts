/** The strings of the viewer, which is loaded with the first image that is opened. */
import { sharing, viewer } from './en/image.ts';

export const studioText = { sharing, viewer };
