"""drawing.py FILE.svg: the file is well-formed, no two boxes overlap, groups overlap nothing that is
not in them, and all texts lie within the page. Says how much there is."""
import sys
import xml.etree.ElementTree as ElementTree

SVG = "{http://www.w3.org/2000/svg}"
root = ElementTree.parse(sys.argv[1]).getroot()
page_width, page_height = int(root.get("width")), int(root.get("height"))


def corners(rectangle):
    x, y, w, h = (int(rectangle.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, x + w, y + h


def apart(a, b):
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def within(a, b):
    return b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3]


rectangles = list(root.iter(SVG + "rect"))
boxes = [corners(r) for r in rectangles if r.get("class") == "outline"]
groups = [corners(r) for r in rectangles if r.get("class") == "group"]
for i, box in enumerate(boxes):
    assert all(apart(box, other) for other in boxes[:i]), ("boxes overlap", box)
    assert all(apart(box, group) or within(box, group) for group in groups), ("group", box)
for i, group in enumerate(groups):
    assert all(apart(group, other) or within(group, other) for other in groups[:i]), group
for text in root.iter(SVG + "text"):
    assert 0 <= int(text.get("x")) <= page_width and 0 <= int(text.get("y")) <= page_height
wires = [path for path in root.iter(SVG + "path") if path.get("class") == "wire"]
print(f"{len(boxes)} boxes, {len(groups)} groups, {len(wires)} wires, no overlap")
