import type { Canvas, Image, SKRSContext2D } from '@napi-rs/canvas';

type Box = { x: number; y: number; width: number; height: number };

/** Fills the box with the centre of the image, as CSS `object-fit: cover` does. */
export function drawCover(context: SKRSContext2D, image: Image | Canvas, box: Box): void {
  const scale = Math.max(box.width / image.width, box.height / image.height);
  const width = box.width / scale;
  const height = box.height / scale;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    image,
    (image.width - width) / 2,
    (image.height - height) / 2,
    width,
    height,
    box.x,
    box.y,
    box.width,
    box.height,
  );
}
