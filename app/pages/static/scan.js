// Reading a QR code from the camera or from a picture. The browser's own reader where there is one, which also works
// with the network cut; else a reader in plain JavaScript (jsqr.js, Apache-2.0): WebAssembly would need a laxer policy.
// It is loaded on the first tap, or ahead of it by `prepare`.

const MOST_PIXELS = 1600; // of the longer edge; photos of phones have many times more, which only makes reading slow

export class ReaderMissing extends Error {}

let reader;

// Loads the reader while there is a network, so that scanning works without one. What fails is tried again on the tap.
export async function prepare() {
  await readerOfCodes().catch(() => {});
}

// The text of the code in a picture file; null where none is found.
export async function readPicture(file) {
  let image;
  try {
    image = await createImageBitmap(file);
  } catch {
    return null; // not a picture
  }
  const read = await readerOfCodes();
  for (const most of [MOST_PIXELS, 800]) {
    const text = await read(drawn(image, image.width, image.height, most));
    if (text) return text;
  }
  return null;
}

// Looks through the camera until a code is seen or the signal says stop. Throws where the camera cannot be used.
export async function watch(video, signal) {
  const read = await readerOfCodes();
  const media = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
  const stream = await navigator.mediaDevices.getUserMedia(media);
  try {
    video.srcObject = stream;
    await video.play();
    while (!signal.aborted) {
      if (video.videoWidth > 0) {
        const text = await read(drawn(video, video.videoWidth, video.videoHeight, 800));
        if (text) return text;
      }
      await new Promise((wake) => setTimeout(wake, 120));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}

async function readerOfCodes() {
  reader ??= (await ownReader()) ?? (await plainReader());
  return reader;
}

async function ownReader() {
  if (!("BarcodeDetector" in globalThis)) return null;
  try {
    const kinds = await BarcodeDetector.getSupportedFormats();
    if (!kinds.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (canvas) => (await detector.detect(canvas))[0]?.rawValue ?? null;
  } catch {
    return null;
  }
}

async function plainReader() {
  try {
    await import("./jsqr.js");
  } catch {
    throw new ReaderMissing();
  }
  return async (canvas) => {
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return globalThis.jsQR(data, width, height)?.data ?? null;
  };
}

function drawn(source, width, height, most) {
  const scale = Math.min(1, most / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // behind a picture with holes
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
