"""Files of strangers are read in a process of its own: what they carry, and that no file takes much."""

import asyncio
import io
import time
import zlib

import pytest
import segno
from PIL import Image

from app.core.errors import TooLarge
from app.documents import upload_reader_process
from app.documents.upload_reader import FileContents, UnreadableFile, UploadReader

URL = "https://mark.example/v/MIK-2026-000042-Y"


def read(data):
    return asyncio.run(UploadReader().read_file(data))


def picture(kind="PNG", mode="RGB", size=None, text=URL):
    code = io.BytesIO()
    segno.make_qr(text, error="m").save(code, kind="png", scale=6, border=4)
    image = Image.open(code).convert(mode)
    if size:
        ground = Image.new(mode, size, (0, 0, 0, 0) if mode == "RGBA" else "white")
        ground.paste(image, (size[0] // 3, size[1] // 3))
        image = ground
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode", "size"),
    [
        ("PNG", "RGB", None), ("PNG", "RGBA", (900, 900)), ("PNG", "P", None), ("PNG", "1", None),
        ("JPEG", "L", None), ("JPEG", "CMYK", None), ("WEBP", "RGB", None), ("JPEG", "RGB", (7_300, 5_400)),
    ],
)  # fmt: skip
def test_pictures(kind, mode, size):
    assert read(picture(kind, mode, size)) == FileContents("picture", (URL,), None)


def test_texts():
    assert read(b"\xef\xbb\xbf> eyJ.x\r\n") == FileContents("text", ("> eyJ.x\r\n",), None)


def bomb():
    """A PDF that unpacks to far more than memory allows."""
    packed = zlib.compress(b"0" * 600_000_000, 9)
    attachment = b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>" % len(packed)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a.jwt) 3 0 R] >> >> >>",
        b"<< /Type /Pages /Kids [] /Count 0 >>",
        b"<< /Type /Filespec /F (a.jwt) /UF (a.jwt) /EF << /F 4 0 R >> >>",
        attachment + b"\nstream\n" + packed + b"\nendstream",
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start)


def huge_picture():
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"", b" \n", bytes(range(256)), b"a\0b", b"%PDF-1.7", b"%PDF-1.7\n" + b"1 0 obj\n" * 9_999,
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff" + bytes(99), b"RIFF\0\0\0\0WEBP", b"x" * 300_000, b"PK\x03\x04" + bytes(99), b"GIF89a\0\0",
        picture(text=URL)[:200],
    ],
)  # fmt: skip
def test_no_such_file(data):
    with pytest.raises(UnreadableFile) as refused:
        read(data)
    assert refused.value.code == "unreadable-file"


@pytest.mark.parametrize("make", [bomb, huge_picture])
def test_no_file_takes_much(make):
    data, begin = make(), time.monotonic()
    assert len(data) < upload_reader_process.MAX_BYTES
    with pytest.raises(UnreadableFile):
        read(data)
    assert time.monotonic() - begin < 25


def test_a_picture_without_a_code():
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(out, "PNG")
    with pytest.raises(UnreadableFile, match="No code was found"):
        read(out.getvalue())


def test_ten_megabytes():
    with pytest.raises(TooLarge):
        read(bytes(upload_reader_process.MAX_BYTES + 1))


def test_others_go_on_while_files_are_read():
    async def run():
        box, ticks = UploadReader(), 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        found = await asyncio.gather(*(box.read_file(picture()) for _ in range(4)))
        ticking.cancel()
        assert {each.texts for each in found} == {(URL,)}
        assert ticks > 5

    asyncio.run(run())
