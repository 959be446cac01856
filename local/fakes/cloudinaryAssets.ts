import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageSize } from 'image-size';
import { z } from 'zod';

const assetSchema = z.object({
  assetId: z.string(),
  publicId: z.string(),
  /** Seconds since 1970; higher after every overwrite. */
  version: z.number(),
  format: z.string(),
  width: z.number(),
  height: z.number(),
  bytes: z.number(),
  etag: z.string(),
  createdAt: z.string(),
  tags: z.array(z.string()),
});

/** A stored image, without its bytes. */
export type Asset = z.infer<typeof assetSchema>;

export type MeasuredImage = { content: Buffer; format: string; width: number; height: number };

export type AssetStore = {
  /** By public id. */
  assets: ReadonlyMap<string, Asset>;
  /** Stores an image, and replaces the one with the same public id. */
  put: (publicId: string, image: MeasuredImage, tags: string[]) => Asset;
  read: (asset: Asset) => Buffer;
  /** False if there was no such image. */
  remove: (publicId: string) => boolean;
};

/**
 * Stores images in memory or, with a folder, in files that outlive the process. Writes are synchronous: an upload is
 * stored before its answer, and two uploads with one public id cannot interleave. Without `keepsBytes`, `read` returns
 * no bytes.
 */
export function createAssetStore(dataDir: string | undefined, keepsBytes = true): AssetStore {
  const assets = new Map<string, Asset>();
  const files = dataDir === undefined ? memoryFiles(keepsBytes) : folderFiles(dataDir);
  for (const asset of files.list()) assets.set(asset.publicId, asset);
  return {
    assets,
    put(publicId, { content, ...measured }, tags) {
      const before = assets.get(publicId);
      const now = Math.floor(Date.now() / 1000);
      const asset: Asset = {
        assetId: before?.assetId ?? randomBytes(16).toString('hex'),
        publicId,
        version: Math.max(now, (before?.version ?? 0) + 1),
        ...measured,
        bytes: content.length,
        etag: createHash('md5').update(content).digest('hex'),
        createdAt: before?.createdAt ?? `${new Date(now * 1000).toISOString().slice(0, 19)}Z`,
        tags,
      };
      files.write(asset, content);
      if (before) files.removeBytes(before);
      assets.set(publicId, asset);
      return asset;
    },
    read: (asset) => files.read(asset),
    remove(publicId) {
      const asset = assets.get(publicId);
      if (asset === undefined) return false;
      files.remove(asset);
      return assets.delete(publicId);
    },
  };
}

/** Reads format and size from the image's header; undefined if it is not an image. */
export function measureImage(content: Buffer): MeasuredImage | undefined {
  try {
    const { type, width, height } = imageSize(content);
    return { content, format: type ?? 'png', width, height };
  } catch {
    return undefined;
  }
}

function memoryFiles(keepsBytes: boolean) {
  const bytesByName = new Map<string, Buffer>();
  const name = (asset: Asset) => `${asset.assetId}-${asset.version}`;
  const removeBytes = (asset: Asset) => void bytesByName.delete(name(asset));
  return {
    list: (): Asset[] => [],
    write: (asset: Asset, bytes: Buffer) => void (keepsBytes && bytesByName.set(name(asset), bytes)),
    read: (asset: Asset) => bytesByName.get(name(asset)) ?? Buffer.alloc(0),
    removeBytes,
    remove: removeBytes,
  };
}

/** Stores `{assetId}-{version}.{format}` and `{assetId}.json`. The JSON file is renamed into place last. */
function folderFiles(dataDir: string) {
  mkdirSync(dataDir, { recursive: true });
  const bytesFile = (asset: Asset) => join(dataDir, `${asset.assetId}-${asset.version}.${asset.format}`);
  const jsonFile = (asset: Asset) => join(dataDir, `${asset.assetId}.json`);
  const removeBytes = (asset: Asset) => rmSync(bytesFile(asset), { force: true });
  return {
    list: () =>
      readdirSync(dataDir)
        .filter((name) => name.endsWith('.json'))
        .map((name) => assetSchema.parse(JSON.parse(readFileSync(join(dataDir, name), 'utf8'))))
        .filter((asset) => existsSync(bytesFile(asset))),
    write(asset: Asset, bytes: Buffer) {
      writeFileSync(bytesFile(asset), bytes);
      writeFileSync(`${jsonFile(asset)}.new`, JSON.stringify(asset));
      renameSync(`${jsonFile(asset)}.new`, jsonFile(asset));
    },
    read: (asset: Asset) => readFileSync(bytesFile(asset)),
    removeBytes,
    remove(asset: Asset) {
      rmSync(jsonFile(asset), { force: true });
      removeBytes(asset);
    },
  };
}
