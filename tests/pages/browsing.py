"""What the tests of pages look at, and with."""

from pathlib import Path

import segno

AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text()
PHONE = {"width": 390, "height": 844}
HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def violations(page, options=None):
    """What axe-core finds on the page as it is now; a script tag would be stopped by our CSP."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE)
    found = page.evaluate("options => axe.run(options)", options or {})["violations"]
    return [(each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"]) for each in found]


def scrolls_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def write_film(path, text):
    """Two frames of 640 × 480 with a QR code in their middle."""
    rows = [
        [255 if cell in {0, None} else 16 for cell in row]
        for row in segno.make_qr(text, error="m").matrix_iter(border=4)
    ]
    scale = 460 // len(rows)
    left, top = (640 - scale * len(rows)) // 2, (480 - scale * len(rows)) // 2
    luma = bytearray(b"\xc8" * (640 * 480))
    for y, row in enumerate(rows):
        line = b"".join(bytes([value]) * scale for value in row)
        for each in range(scale):
            start = (top + y * scale + each) * 640 + left
            luma[start : start + len(line)] = line
    frame = b"FRAME\n" + bytes(luma) + b"\x80" * (640 * 480 // 2)
    path.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n" + frame * 2)
