/** The image models in the order in which they are asked. IMAGEGEN_MODEL_ID and IMAGEGEN_FALLBACK_MODEL_IDS override it. */

/** The first model if the environment names none. */
export const modelIdDefault = 'gemini-2.5-flash-image';

/** The models to fall back to, in order, if the environment names none. */
export const fallbackModelIdsDefault = ['gemini-nano-banana-2.1', 'gemini-3.1-flash-lite-image'];
