/** The fakes of both upstreams for benches: they serve one ready-made image and remember few requests. */
import { type CloudinaryOptions, startFakeCloudinary } from '../../local/fakes/cloudinary.ts';
import { startFakeGemini } from '../../local/fakes/gemini.ts';
import { geminiFault } from '../../local/fakes/geminiFaults.ts';
import { imageBytesMax } from '../../shared/images/imageFormat.ts';

/** @param latencyMs how long Gemini takes for an image. */
export async function startFakes(image: Buffer, latencyMs: number, options: Partial<CloudinaryOptions> = {}) {
  const requestsMax = 10;
  const gemini = await startFakeGemini({ apiKey: 'bench', latencyMs, requestsMax });
  gemini.always(geminiFault.image(image));
  const account = { cloudName: 'bench', apiKey: '1', apiSecret: 's', uploadBytesMax: imageBytesMax };
  return { gemini, cloudinary: await startFakeCloudinary({ ...account, requestsMax, ...options }) };
}
