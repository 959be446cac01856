import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Asset, type AssetStore, createAssetStore } from './cloudinaryAssets.ts';
import { type Form, parseForm, parseUpload, refuseCall, refusePublicId } from './cloudinaryCheck.ts';
import { deliver } from './cloudinaryDelivery.ts';
import { type CloudinaryStep, cloudinaryError } from './cloudinaryFaults.ts';
import { answer, createFaultScript, type Reply, readBody, send, startServer } from './server.ts';

/** One call as it arrived. Refused calls are recorded too. */
export type CloudinaryRequest = {
  action: 'upload' | 'destroy' | 'deliver';
  publicId: string | undefined;
  /** True if an upload or a destroy asks to remove the CDN's copies too. */
  invalidate: boolean;
  /** The form's fields without the file; empty for a delivery. */
  fields: Readonly<Record<string, string>>;
  /** Path and query. */
  path: string;
  /** Milliseconds since 1970. */
  at: number;
  /** The status of the refusal, if the request was invalid. */
  refused?: number;
};

export type CloudinaryOptions = {
  /** 0 or undefined means any free port. */
  port?: number;
  host?: string;
  cloudName: string;
  apiKey: string;
  apiSecret: string;
  /** Keeps images in this folder across restarts. Without it, images are in memory. */
  dataDir?: string;
  /** False drops the bytes of images in memory, for benchmarks that store thousands of images and read none. */
  keepsBytes?: boolean;
  /** The largest accepted image, bytes. The default, 10 MiB, is the limit of Cloudinary's free plan. */
  uploadBytesMax?: number;
  /** Awaited before the answer to a valid request. */
  onRequest?: (request: CloudinaryRequest) => Promise<void> | void;
  /** How many requests to remember; the oldest are dropped first. */
  requestsMax?: number;
};

export type FakeCloudinary = {
  url: string;
  /** The value for CLOUDINARY_URL, with this server as upload_prefix. */
  cloudinaryUrl: string;
  /** The stored images, by public id. */
  assets: ReadonlyMap<string, Asset>;
  requests: CloudinaryRequest[];
  script: (...steps: CloudinaryStep[]) => void;
  always: (step: CloudinaryStep | undefined) => void;
  close: () => Promise<void>;
};

/**
 * Starts a fake of Cloudinary's upload and delivery servers on one port. As in the fake Gemini, an invalid request is
 * refused before any scripted step, and uses up none.
 */
export async function startFakeCloudinary(options: CloudinaryOptions): Promise<FakeCloudinary> {
  const { cloudName, apiKey, apiSecret, onRequest, requestsMax = 10_000 } = options;
  const store = createAssetStore(options.dataDir, options.keepsBytes);
  const requests: CloudinaryRequest[] = [];
  const faults = createFaultScript<CloudinaryStep>();

  function remember(
    request: IncomingMessage,
    about: Pick<CloudinaryRequest, 'action' | 'publicId' | 'fields'>,
  ) {
    const record: CloudinaryRequest = {
      ...about,
      invalidate: ['true', '1'].includes(about.fields.invalidate ?? ''),
      path: request.url ?? '',
      at: Date.now(),
    };
    requests.push(record);
    if (requests.length > requestsMax) requests.shift();
    return record;
  }

  async function perform(
    record: CloudinaryRequest,
    response: ServerResponse,
    closing: AbortSignal,
    work: () => Promise<Reply>,
  ): Promise<void> {
    await onRequest?.(record);
    const step = faults.take(({ action }) =>
      action === undefined ? record.action !== 'deliver' : action === record.action,
    );
    await answer(response, step, closing, work);
  }

  const { url, close } = await startServer(options, async (request, response, closing) => {
    const { pathname } = new URL(request.url ?? '/', 'http://fake');
    const api = /^\/v1_1\/(?<cloud>[^/]+)\/image\/(?<action>upload|destroy)$/.exec(pathname)?.groups;
    if (request.method === 'POST' && api) {
      const action = api.action === 'destroy' ? 'destroy' : 'upload';
      const form = await readForm(request, options);
      const record = remember(request, { action, publicId: getPublicId(form, action), fields: form.fields });
      const call = checkCall(api.cloud ?? '', record, form, options);
      if ('refusal' in call) {
        record.refused = call.refusal.status;
        return send(response, call.refusal);
      }
      return perform(record, response, closing, async () => ({
        status: 200,
        // The address that was called: a proxy in front of the fake delivers its images, too.
        body: call.act(store, `http://${request.headers.host ?? new URL(url).host}`),
      }));
    }
    request.resume();
    const prefix = `/${cloudName}/image/upload/`;
    if ((request.method === 'GET' || request.method === 'HEAD') && pathname.startsWith(prefix)) {
      const record = remember(request, { action: 'deliver', publicId: undefined, fields: {} });
      return perform(record, response, closing, () =>
        deliver(pathname.slice(prefix.length), request.headers.accept ?? '', store),
      );
    }
    send(response, cloudinaryError(404, 'Not Found', { 'access-control-allow-origin': '*' }));
  });
  return {
    url,
    cloudinaryUrl: `cloudinary://${apiKey}:${apiSecret}@${cloudName}?upload_prefix=${url}`,
    assets: store.assets,
    requests,
    script: faults.script,
    always: faults.always,
    close,
  };
}

const getUploadBytesMax = ({ uploadBytesMax = 10 * 1024 * 1024 }: CloudinaryOptions) => uploadBytesMax;

async function readForm(request: IncomingMessage, options: CloudinaryOptions): Promise<Form> {
  // A base64 data URI is a third longer than its image. The other fields are small.
  const body = await readBody(request, Math.ceil(getUploadBytesMax(options) * 1.4) + 1024 * 1024);
  if (body === undefined) {
    return { fields: {}, file: undefined, refusal: cloudinaryError(413, 'Request Entity Too Large') };
  }
  return parseForm(body, request.headers['content-type'] ?? '');
}

/** The public id of a call, with the folder of an upload. */
function getPublicId({ fields }: Form, action: 'upload' | 'destroy'): string | undefined {
  if (!fields.public_id) return undefined;
  return action === 'upload' && fields.folder ? `${fields.folder}/${fields.public_id}` : fields.public_id;
}

/** Returns the real service's refusal, or the action, which returns the body of the answer. */
function checkCall(
  cloud: string,
  { action, publicId }: CloudinaryRequest,
  form: Form,
  options: CloudinaryOptions,
): { refusal: Reply } | { act: (store: AssetStore, url: string) => object } {
  const { fields } = form;
  const refusal =
    form.refusal ??
    refuseCall(cloud, fields, options, Date.now() / 1000) ??
    (publicId === undefined ? undefined : refusePublicId(publicId));
  if (refusal) return { refusal };
  if (action === 'destroy') {
    if (publicId === undefined) {
      return { refusal: cloudinaryError(400, 'Missing required parameter - public_id') };
    }
    return { act: (store) => ({ result: store.remove(publicId) ? 'ok' : 'not found' }) };
  }
  const image = parseUpload(form.file, getUploadBytesMax(options));
  if ('refusal' in image) return image;
  return {
    act(store, url) {
      const id = publicId ?? randomBytes(10).toString('hex');
      const before = store.assets.get(id);
      if (before && ['false', '0'].includes(fields.overwrite ?? '')) {
        return { ...toUploadResponse(before, url, options), existing: true };
      }
      const asset = store.put(id, image, fields.tags?.split(',') ?? []);
      return {
        ...toUploadResponse(asset, url, options),
        ...(before ? { overwritten: true } : {}),
        original_filename: 'file',
        api_key: options.apiKey,
      };
    },
  };
}

function toUploadResponse(asset: Asset, url: string, { cloudName, apiSecret }: CloudinaryOptions): object {
  const { publicId, version, format } = asset;
  const hash = (text: string) => createHash('sha1').update(text).digest('hex');
  const path = publicId.split('/').map(encodeURIComponent).join('/');
  const address = `${url}/${cloudName}/image/upload/v${version}/${path}.${format}`;
  return {
    asset_id: asset.assetId,
    public_id: publicId,
    version,
    version_id: hash(`${asset.assetId}${version}`).slice(0, 32),
    signature: hash(`public_id=${publicId}&version=${version}${apiSecret}`),
    width: asset.width,
    height: asset.height,
    format,
    resource_type: 'image',
    created_at: asset.createdAt,
    tags: asset.tags,
    bytes: asset.bytes,
    type: 'upload',
    etag: asset.etag,
    placeholder: false,
    url: address,
    secure_url: address,
    asset_folder: '',
    display_name: publicId.split('/').at(-1),
  };
}
