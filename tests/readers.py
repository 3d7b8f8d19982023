"""Other people's programs, as readers of what the service hands out: PDF files and QR codes."""

import io
import os
import re
import shutil
import subprocess

import pypdf
import pytest
import zxingcpp


def tool(name):
    """The path of a program; where it is missing the test is skipped, but never in continuous integration."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing: see .ci/run")
        pytest.skip(f"{name} is not installed")
    return found


def text_of(pdf):
    """What is copied out of the one page of a file, line by line."""
    (_,) = pypdf.PdfReader(io.BytesIO(pdf)).pages
    read = subprocess.run([tool("pdftotext"), "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(re.sub("[\u200e\u200f\u202a-\u202e]", "", read.stdout.decode()).split())  # pdftotext adds them


def scan(pdf, folder, dpi=200):
    """The texts of the QR codes that a reader finds on the first page."""
    (folder / "scanned.pdf").write_bytes(pdf)
    command = [tool("pdftoppm"), "-r", str(dpi), "-gray", "-singlefile", "scanned.pdf", "scanned"]
    subprocess.run(command, check=True, cwd=folder)
    _, size, _, pixels = (folder / "scanned.pgm").read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    return [each.text for each in zxingcpp.read_barcodes(memoryview(pixels).cast("B", shape=[height, width]))]
