"""Read tokens from an uploaded file: a text, a PDF's attachment, or the codes in an image.

Runs as a separate process (`python -m app.documents.upload_reader_process`), because uploads are untrusted: within 512
MB of memory and 5 s of processor time, without network. The process reads the file from standard input and writes one
JSON object. Nothing is rendered or stored. If a library crashes the process, the file is reported as unreadable.
"""

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from app.core.messages import Message

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_MEMORY_BYTES: Final = 512 * 1024 * 1024
MAX_CPU_SECONDS: Final = 5
MAX_PIXELS: Final = 40_000_000
MAX_TEXT_BYTES: Final = 262_144
MAX_CODES: Final = 16
PICTURE_FORMATS: Final = ("PNG", "JPEG", "WEBP")


class UnsupportedFile(Exception):
    """The file cannot contain a certificate or is damaged; the message is for the user."""


def read_file(data: bytes, own_certificates: Sequence[str]) -> dict[str, Any]:
    """Read a file by its content. Raises `UnsupportedFile`.

    Returns `{"kind": "text"|"pdf"|"picture", "texts": […], "signature": …}`. `own_certificates` are SHA-256
    fingerprints of the certificates that sign this service's PDF files. `signature` is `ours`, `other`, `broken` or
    `none`, and null for anything but a PDF.
    """
    if b"%PDF-" in data[:1_024]:
        return {"kind": "pdf", "texts": _read_attachments(data), "signature": _check_signature(data, own_certificates)}
    if data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return {"kind": "picture", "texts": _read_codes(data), "signature": None}
    return {"kind": "text", "texts": [_read_text(data)], "signature": None}


def _read_text(data: bytes) -> str:
    if len(data) > MAX_TEXT_BYTES:
        raise UnsupportedFile(Message("This is no text of a certificate: it is too long."))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnsupportedFile(Message("This is neither a text nor a PDF, PNG, JPEG or WebP.")) from None
    if not text.strip() or any(ord(character) < 32 and character not in "\t\n\r\f" for character in text):
        raise UnsupportedFile(Message("This is neither a text nor a PDF, PNG, JPEG or WebP."))
    return text


def _read_attachments(data: bytes) -> list[str]:
    from pypdf import PdfReader  # noqa: PLC0415 (each kind of file loads its own library)

    found = [
        content.decode("utf-8", "replace")
        for name, contents in PdfReader(io.BytesIO(data)).attachments.items()
        if name.lower().endswith((".jwt", ".jws"))
        for content in contents
        if len(content) <= MAX_TEXT_BYTES
    ]
    if not found:
        raise UnsupportedFile(
            Message("No certificate is attached to this PDF. Take a picture of its code, or type its number.")
        )
    if len({text.strip() for text in found}) > 1:
        raise UnsupportedFile(Message("More than one certificate is attached to this PDF."))
    return found[:1]


def _check_signature(data: bytes, own_certificates: Sequence[str]) -> str:
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415 (as above)
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415 (loaded for this kind of file only)
    from pyhanko.sign.validation.status import SignatureCoverageLevel  # noqa: PLC0415 (loaded for this kind of file only)
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415 (loaded for this kind of file only)

    signatures = list(PdfFileReader(io.BytesIO(data)).embedded_regular_signatures)
    if not signatures:
        return "none"
    signature = signatures[0]
    signer = signature.signer_cert
    if signer.sha256.hex() not in own_certificates:
        return "other"
    context = ValidationContext(trust_roots=[signer], allow_fetching=False)
    status = validate_pdf_signature(signature, signer_validation_context=context)
    is_whole = status.coverage is SignatureCoverageLevel.ENTIRE_FILE or status.docmdp_ok
    return "ours" if status.intact and status.valid and is_whole else "broken"


def _read_codes(data: bytes) -> list[str]:
    import zxingcpp  # noqa: PLC0415 (as above)
    from PIL import Image  # noqa: PLC0415 (loaded for this kind of file only)

    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked instead, before any pixel is read
    with Image.open(io.BytesIO(data), formats=PICTURE_FORMATS) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise UnsupportedFile(Message("The picture has more than 40 megapixels."))
        picture.draft("L", picture.size)
        grey = picture.convert("L") if picture.mode in {"L", "RGB"} else _flatten_on_white(picture)
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = [code.text for code in zxingcpp.read_barcodes(grey, formats=formats) if code.text]
    if not found:
        raise UnsupportedFile(Message("No code was found in this picture."))
    return found[:MAX_CODES]


def _flatten_on_white(picture: Any) -> Any:
    """Put a white background behind a transparent image."""
    from PIL import Image  # noqa: PLC0415 (as above)

    transparent = picture.convert("LA")
    background = Image.new("L", picture.size, 255)
    background.paste(transparent.getchannel("L"), mask=transparent.getchannel("A"))
    return background


def _limit_resources() -> None:
    with contextlib.suppress(ImportError):  # not on Windows: there the parent limits only the time
        import resource  # noqa: PLC0415 (as above)

        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    _limit_resources()
    try:
        output = read_file(sys.stdin.buffer.read(MAX_BYTES + 1), sys.argv[1:])
    except UnsupportedFile as error:
        output = {"refused": str(error)}
    sys.stdout.write(json.dumps(output))


if __name__ == "__main__":
    main()
