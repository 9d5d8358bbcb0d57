"""What every workbook that the project writes has in common.

Belongs here: fixing the dates in a package that openpyxl wrote, so that the same content gives the same bytes; text.
Does not: what stands in the workbook (template.py, marked_copy.py).
"""

from __future__ import annotations

import io
import re
import zipfile

FIXED_DATE = (1980, 1, 1, 0, 0, 0)
FIXED_STAMP = rb"\g<1>1980-01-01T00:00:00Z\g<2>"
STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that the XML of a workbook cannot hold."""


def writable(text: str) -> str:
    """The text with a sign in place of each character that a workbook cannot hold."""
    return UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def stable_bytes(data: bytes) -> bytes:
    """The same package with fixed dates on its parts and in its properties."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as result:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "docProps/core.xml":
                content = STAMP.sub(FIXED_STAMP, content)
            part = zipfile.ZipInfo(item.filename, FIXED_DATE)
            part.compress_type = zipfile.ZIP_DEFLATED
            result.writestr(part, content)
    return target.getvalue()
