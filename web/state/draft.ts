/** The content of the composer: the next image request while the user writes it. */
import { computed, signal } from '@preact/signals';
import type {
  AspectRatio,
  GenerateInput,
  Generation,
  Orientation,
  Resolution,
  Tier,
} from '../../shared/contract.ts';
import type { PickedImage } from '../pickImages.ts';
import { listRatios } from './shapes.ts';

/** A reference image: from the gallery, or a file from the user's device. */
export type Reference =
  | { kind: 'generation'; id: string; previewUrl: string; name: string }
  | ({ kind: 'file' } & PickedImage);

/**
 * @property resolution 1K if it is absent, as in drafts of an earlier version.
 * @property aspectRatio absent for the tier's own.
 * @property count how many images, 1 to 4.
 * @property changes what the user has begun to write under images, by the image's id.
 */
export type DraftContent = {
  prompt: string;
  ownPrompt: string | undefined;
  tier: Tier;
  orientation: Orientation;
  references: Reference[];
  resolution?: Resolution;
  aspectRatio?: AspectRatio | undefined;
  count?: number;
  changes?: Readonly<Record<string, string>>;
};

/** The most images that one press of the button asks for. */
export const countMax = 4;

export function createDraft() {
  const prompt = signal('');
  /** What the user wrote before they accepted an improved prompt. */
  const ownPrompt = signal<string | undefined>();
  const tier = signal<Tier>('standard');
  const orientation = signal<Orientation>('landscape');
  const resolution = signal<Resolution>('1K');
  const aspectRatio = signal<AspectRatio | undefined>();
  const count = signal(1);
  const references = signal<Reference[]>([]);
  const changes = signal<Readonly<Record<string, string>>>({});

  function set(content: DraftContent): void {
    prompt.value = content.prompt;
    ownPrompt.value = content.ownPrompt;
    tier.value = content.tier;
    orientation.value = content.orientation;
    resolution.value = content.resolution ?? '1K';
    aspectRatio.value = content.aspectRatio;
    count.value = content.count ?? 1;
    references.value = content.references.map(withPreview);
    changes.value = { ...content.changes, ...changes.value };
  }

  return {
    prompt,
    ownPrompt,
    tier,
    orientation,
    resolution,
    aspectRatio,
    count,
    references,
    changes,
    /** Total size of the files; gallery images count 0 because only their id is sent. */
    referenceBytes: computed(() =>
      references.value.reduce((sum, one) => sum + (one.kind === 'file' ? one.bytes : 0), 0),
    ),

    /**
     * What the user writes. An emptied prompt, or one of only the text that came last, is another prompt: the one before
     * its improvement is forgotten.
     * @param inserted what was typed or pasted
     */
    write(written: string, inserted?: string | null): void {
      prompt.value = written;
      if (written.trim() === '' || written === inserted) ownPrompt.value = undefined;
    },

    /** @param offered the resolution that is on offer. 1K is what the functions assume. */
    toRequest(offered: Resolution = resolution.value): GenerateInput {
      const images = references.value.map((one) => {
        const image =
          one.kind === 'generation' ? { generationId: one.id } : { mimeType: one.mimeType, data: one.data };
        names.set(image, one.name);
        return image;
      });
      const own = ownPrompt.value?.trim();
      return {
        prompt: prompt.value,
        tier: tier.value,
        orientation: orientation.value,
        ...(aspectRatio.value && { aspectRatio: aspectRatio.value }),
        ...(own && own !== prompt.value.trim() && { originalPrompt: own }),
        ...(offered !== '1K' && { resolution: offered }),
        ...(images.length > 0 && { references: images }),
      };
    },

    getContent: (): DraftContent => ({
      prompt: prompt.value,
      ownPrompt: ownPrompt.value,
      tier: tier.value,
      orientation: orientation.value,
      resolution: resolution.value,
      aspectRatio: aspectRatio.value,
      count: count.value,
      references: references.value,
      changes: changes.value,
    }),

    /** @param change empty if the user has asked for it, or deleted it. */
    setChange(id: string, change: string): void {
      const { [id]: _, ...others } = changes.value;
      changes.value = change === '' ? others : { ...others, [id]: change };
    },

    set,

    /** Fills the composer with an earlier draft, unless the user has begun another one. */
    restore(content: DraftContent): void {
      if (prompt.value === '' && references.value.length === 0) set(content);
    },

    /**
     * Fills the composer with the prompt and settings of an existing image.
     * @param images the references of that image; if there are none, those in the composer stay
     */
    reuse(generation: Generation, images: Reference[]): void {
      const { originalPrompt } = generation;
      prompt.value = generation.prompt ?? '';
      ownPrompt.value = originalPrompt === generation.prompt ? undefined : originalPrompt;
      tier.value = generation.tier;
      orientation.value = generation.orientation;
      aspectRatio.value = generation.aspectRatio;
      resolution.value = generation.resolution;
      if (images.length > 0) references.value = images;
    },

    /** Another shape or orientation starts with its own ratio. */
    setShape(newTier: Tier, newOrientation: Orientation, ratio?: AspectRatio): void {
      tier.value = newTier;
      orientation.value = newOrientation;
      aspectRatio.value = ratio === listRatios(newTier, newOrientation)[0] ? undefined : ratio;
    },

    /** Fills the composer with a request that failed, so that the user can change it. */
    edit(request: GenerateInput): void {
      set({
        prompt: request.prompt,
        ownPrompt: request.originalPrompt,
        tier: request.tier,
        orientation: request.orientation ?? 'landscape',
        resolution: request.resolution ?? '1K',
        aspectRatio: request.aspectRatio,
        references: (request.references ?? []).map(toReference),
      });
    },
  };
}

type RequestReference = NonNullable<GenerateInput['references']>[number];

/** The names of the references in requests, for those that fail. */
const names = new WeakMap<RequestReference, string>();

function toReference(reference: RequestReference): Reference {
  const name = names.get(reference) ?? '';
  if ('generationId' in reference)
    return { kind: 'generation', id: reference.generationId, previewUrl: '', name };
  const { data, mimeType } = reference;
  return { kind: 'file', name, mimeType, data, bytes: Math.floor((data.length * 3) / 4), previewUrl: '' };
}

/** The object URL of a file does not survive the page that made it. */
function withPreview(reference: Reference): Reference {
  if (reference.kind !== 'file') return reference;
  const bytes = Uint8Array.from(atob(reference.data), (character) => character.charCodeAt(0));
  return { ...reference, previewUrl: URL.createObjectURL(new Blob([bytes], { type: reference.mimeType })) };
}
