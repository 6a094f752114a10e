# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Writes what matplotlib has drawn as a short SVG file.

The picture is the same, but curves have only the points that the eye can see, coordinates are rounded to a tenth of a
point, each style is written once, and groups that only name things are left out. Text has to be text already
(`svg.fonttype: none`).
"""

import collections
import io
import itertools
import re
import string
import xml.etree.ElementTree as ElementTree

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
# How far a curve may be from its points, in points of print; lines are 0.8 wide or wider.
TOLERANCE = 0.2
COLUMNS = 120


def save(figure, path):
    """Writes a matplotlib figure; the same figure gives the same file."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text(compact(buffer.getvalue()), encoding="utf-8")


def compact(text):
    """The SVG text of matplotlib, made short."""
    root = ElementTree.fromstring(text)
    names = _Names(root)
    size = {name: root.get(name) for name in ("width", "height", "viewBox")}
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines += _wrapped(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        + "".join(f' {name}="{value}"' for name, value in size.items()) + ">")
    lines += ["<style>", "* { stroke-linejoin: round; stroke-linecap: butt }"]
    lines += [line for style, name in names.classes.items() for line in _wrapped(f".{name} {{ {style} }}")]
    lines += ["</style>"]
    for element in root:
        lines += _element(element, names)
    return "\n".join([*lines, "</svg>"]) + "\n"


class _Names:
    """Short names of styles, and of what is referred to."""

    def __init__(self, root):
        styles = collections.Counter(
            element.get("style") for element in root.iter() if element.get("style") and element.tag != SVG + "style")
        letters = ("".join(each) for size in (1, 2) for each in itertools.product(string.ascii_lowercase, repeat=size))
        self.classes = {style: next(letters) for style in styles}
        self.identifiers = {}
        text = ElementTree.tostring(root, encoding="unicode")
        for name in re.findall(r'url\(#(\w+)\)|href="#([\w-]+)"', text):
            self.identifiers.setdefault("".join(name), f"i{len(self.identifiers)}")


def _element(element, names):
    kind = element.tag.removeprefix(SVG)
    if kind in ("metadata", "style"):
        return []
    inner = [line for child in element for line in _element(child, names)]
    attributes = _attributes(element, kind, names)
    if kind == "text":
        if len(element):
            # What matplotlib sets as mathematics, such as powers of ten.
            raise ValueError("a text in parts cannot be kept: give the axis a plain formatter")
        content = (element.text or "").replace("&", "&amp;").replace("<", "&lt;")
        return _wrapped(f"<text{attributes}>") + [f"{content}</text>"] if len(attributes) + len(content) > 100 else [
            f"<text{attributes}>{content}</text>"]
    if kind in ("g", "defs"):
        # A group that changes nothing is left out, and definitions stand by themselves.
        if not inner or (kind == "g" and not attributes):
            return inner
        return [f"<{kind}{attributes}>", *inner, f"</{kind}>"]
    return _wrapped(f"<{kind}{attributes}>") + [*inner, f"</{kind}>"] if inner else _wrapped(f"<{kind}{attributes}/>")


def _attributes(element, kind, names):
    result = {}
    for name, value in element.attrib.items():
        if name == "id":
            if value in names.identifiers:
                result["id"] = names.identifiers[value]
        elif name == LINK:
            result["xlink:href"] = "#" + names.identifiers[value.removeprefix("#")]
        elif name == "style":
            result["class"] = names.classes[value]
        elif name == "clip-path":
            result[name] = f"url(#{names.identifiers[value[5:-1]]})"
        elif name == "d":
            # Small forms, such as the circles of points, are drawn more finely.
            result[name] = _path(value, 2 if "id" in element.attrib else 1)
        elif name == "transform" and kind == "text":
            if not re.match(r"rotate\(-?0 ", value):
                result[name] = _rounded(value)
        elif name in ("x", "y", "width", "height", "transform"):
            result[name] = _rounded(value)
        else:
            result[name] = value
    return "".join(f' {name}="{value}"' for name, value in result.items())


def _rounded(text, digits=1):
    return re.sub(r"-?\d+\.\d+", lambda match: f"{round(float(match[0]), digits):g}", text)


def _path(text, digits):
    """The commands of a path: rounded, and a line of many points with fewer of them."""
    result = []
    for run in re.findall(r"M[^M]*", text):
        closed = run.rstrip().endswith("z")
        numbers = [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", run)]
        if set(re.findall(r"[A-Za-z]", re.sub(r"e-?\d", "", run))) <= {"M", "L", "z"}:
            points = list(zip(numbers[::2], numbers[1::2]))
            if not closed:
                points = _fewer(points)
            words = [f"{_number(x, digits)} {_number(y, digits)}" for x, y in points]
            result.append("M" + words[0] + "".join(f" L{word}" for word in words[1:]) + (" z" if closed else ""))
        else:
            result.append(_rounded(" ".join(run.split()), digits))
    return " ".join(result)


def _number(value, digits):
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _fewer(points):
    """Douglas and Peucker: leaves out points that are closer to the line between their neighbours than can be seen."""
    keep, ranges = {0, len(points) - 1}, [(0, len(points) - 1)]
    while ranges:
        first, last = ranges.pop()
        if last - first < 2:
            continue
        distance, index = max(
            (_distance(points[each], points[first], points[last]), each) for each in range(first + 1, last))
        if distance > TOLERANCE:
            keep.add(index)
            ranges += [(first, index), (index, last)]
    return [points[index] for index in sorted(keep)]


def _distance(point, start, end):
    """From a point to the segment between two others."""
    (x, y), (left, top), (right, bottom) = point, start, end
    width, height = right - left, bottom - top
    length = width * width + height * height
    along = max(0, min(1, ((x - left) * width + (y - top) * height) / length)) if length else 0
    return ((x - left - along * width) ** 2 + (y - top - along * height) ** 2) ** 0.5


def _wrapped(line):
    """Lines of at most 120 columns, cut at blanks."""
    lines = []
    while len(line) > COLUMNS:
        cut = line.rfind(" ", 0, COLUMNS)
        if cut <= 0:
            break
        lines.append(line[:cut])
        line = line[cut + 1:]
    return [*lines, line]
