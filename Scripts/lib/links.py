# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Checks that links between the pages lead somewhere, and that the README names every guide."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    seen, result = {}, set()
    for heading in re.findall(r"^#+ +(.*)$", FENCE.sub("", page.read_text()), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        result.add(f"{slug}-{number}" if number else slug)
    return result


def problems(pages):
    for page in pages:
        text = FENCE.sub(lambda match: "\n" * match.group().count("\n"), page.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            for link in LINK.findall(line):
                if "://" in link or link.startswith("mailto:"):
                    continue
                path, _, anchor = link.partition("#")
                target = (page.parent / path).resolve() if path else page
                where = f"{page.relative_to(ROOT)}:{number}"
                if not target.exists():
                    yield f"{where}: {link} leads nowhere"
                elif anchor and target.suffix == ".md" and anchor not in anchors(target):
                    yield f"{where}: {target.name} has no heading for #{anchor}"
    readme = (ROOT / "README.md").read_text()
    for guide in sorted((ROOT / "Docs").rglob("*.md")):
        if f"({guide.relative_to(ROOT)})" not in readme:
            yield f"README.md: {guide.relative_to(ROOT)} is not in the list of guides"


def main():
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    pages += sorted((ROOT / "Docs").rglob("*.md"))
    pages += sorted((ROOT / "Examples").glob("*/README.md"))
    found = list(problems([page for page in pages if page.exists()]))
    if found:
        sys.exit("\n".join(found))
    print(f"{len(pages)} pages, all links lead somewhere")


if __name__ == "__main__":
    main()
