"""Prints as JSON the properties that a PDF file declares, and the findings of a checker of PDF/UA-1."""

import json
import re
import sys

import pdfua
import pikepdf


def told(path: str) -> dict:
    with pikepdf.open(path) as pdf:
        root = pdf.Root
        xmp = root.Metadata.read_bytes().decode("utf-8")
        parts = {name: (re.findall(rf"<{name}:part>(\d+)<", xmp) or [""])[0] for name in ("pdfuaid", "pdfaid")}
        fonts = {
            str(font.get("/BaseFont")): "/FontFile2" in descriptor or "/FontFile3" in descriptor
            for page in pdf.pages
            for font in page.Resources.get("/Font", {}).values()
            for child in font.DescendantFonts
            for descriptor in [child.FontDescriptor]
        }
        links = [
            "/Contents" in annotation and "/StructParent" in annotation
            for page in pdf.pages
            for annotation in page.get("/Annots", [])
        ]
        return {
            "title": str(pdf.docinfo.get("/Title", "")),
            "shows_title": bool(root.ViewerPreferences.DisplayDocTitle),
            "language": str(root.get("/Lang", "")),
            "marked": bool(root.MarkInfo.Marked),
            "ua": parts["pdfuaid"],
            "archival": parts["pdfaid"],
            "fonts_inside": all(fonts.values()) and len(fonts) > 0,
            "links_told": all(links),
            "attached": {name: pdf.attachments[name].get_file().read_bytes().decode("utf-8") for name in pdf.attachments},
        }


def found(path: str) -> list[str]:
    report = pdfua.validate(path)
    return [f"{finding.rule_id}: {finding.message}" for finding in report.findings]


print(json.dumps({**told(sys.argv[1]), "findings": found(sys.argv[1])}))
