/** What a request for an image says: the prompt, the references, and the turn before it. */
import type { ImageFacts } from '../images/imageFormat.ts';

/** A reference image: its type as detected from its bytes, and its bytes in base64. */
export type Reference = { mimeType: ImageFacts['mimeType']; data: string };

/**
 * The turn in which a model made the first reference from a prompt alone. Sent back with its signature, it lets the same
 * model go on from its own work: it "relies on the thoughtSignature from the previous turn to understand the composition
 * and logic of the original image" (Google's Gemini 3 developer guide). Nothing of it is stored at Google.
 */
export type PreviousTurn = { modelId: string; prompt: string; thoughtSignature: string };

/** The `contents` of a request. With a previous turn, the first reference is the model's own image. */
export function toContents(prompt: string, references: readonly Reference[], previousTurn?: PreviousTurn) {
  const images = references.map((inlineData) => ({ inlineData }));
  if (!previousTurn) return [{ role: 'user', parts: [{ text: prompt }, ...images] }];
  const [own, ...others] = images;
  return [
    { role: 'user', parts: [{ text: previousTurn.prompt }] },
    { role: 'model', parts: [{ ...own, thoughtSignature: previousTurn.thoughtSignature }] },
    { role: 'user', parts: [{ text: prompt }, ...others] },
  ];
}
