"""A workbook's bytes without the time of writing.

Belongs here: fixing the dates in a package that openpyxl wrote, so that the same content gives the same bytes.
Does not: what stands in the workbook (template.py, marked_copy.py).
"""

from __future__ import annotations

import io
import re
import zipfile

FIXED_DATE = (1980, 1, 1, 0, 0, 0)
FIXED_STAMP = rb"\g<1>1980-01-01T00:00:00Z\g<2>"
STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


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
