#!/usr/bin/env python3
"""Reads the SARIF logs that netc makes as a service does: what the standard and GitHub ask for is
there, nothing else is, and every place is in the file.  sarif.py NETC FILE.net..."""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

import jsonschema

netc = os.path.abspath(sys.argv[1])


def closed(required, **optional):
    """An object of these members and no others."""
    return {"type": "object", "additionalProperties": False, "required": list(required),
            "properties": {**required, **optional}}


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
LEVEL = {"enum": ["error", "warning"]}
MESSAGE = closed({"text": TEXT})
ARTIFACT = closed({"uri": {"type": "string", "pattern": r"^([A-Za-z0-9/._~-]|%[0-9A-F]{2})+$|^file:///"}})
REGION = closed(dict.fromkeys(["startLine", "startColumn", "endLine", "endColumn"], COUNT))
PLACE = closed({"artifactLocation": ARTIFACT}, region=REGION)
REPLACEMENT = closed({"deletedRegion": REGION, "insertedContent": closed({"text": {"type": "string"}})})
CHANGE = closed({"artifactLocation": ARTIFACT,
                 "replacements": {"type": "array", "items": REPLACEMENT, "minItems": 1}})
FIX = closed({"description": MESSAGE, "artifactChanges": {"type": "array", "items": CHANGE, "minItems": 1},
              "properties": closed({"applicable": {"type": "boolean"}})})
RULE = closed({"id": {"type": "string", "pattern": "^[EW]0[1-8][0-9]{2}$"},
               "shortDescription": MESSAGE,
               "fullDescription": closed({"text": {**TEXT, "maxLength": 1024}}),
               "help": closed({"text": TEXT, "markdown": TEXT}),
               "defaultConfiguration": closed({"level": LEVEL})})
RESULT = closed({"ruleId": TEXT, "ruleIndex": {"type": "integer", "minimum": 0}, "level": LEVEL,
                 "message": MESSAGE,
                 "locations": {"type": "array", "minItems": 1, "maxItems": 1,
                               "items": closed({"physicalLocation": PLACE}, message=MESSAGE)},
                 "relatedLocations": {"type": "array", "uniqueItems": True, "items": closed(
                     {"id": COUNT, "physicalLocation": PLACE}, message=MESSAGE)},
                 "fixes": {"type": "array", "uniqueItems": True, "items": FIX}})
RUN = closed({"tool": closed({"driver": closed({"name": {"const": "netc"}, "version": TEXT,
                                                "rules": {"type": "array", "uniqueItems": True, "items": RULE}})}),
              "columnKind": {"const": "unicodeCodePoints"},
              "newlineSequences": {"const": ["\r\n", "\n", "\r"]},
              "results": {"type": "array", "items": RESULT}})
LOG = closed({"$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"},
              "runs": {"type": "array", "items": RUN, "minItems": 1, "maxItems": 1}})


def place_text(place):
    """The text at a place of one line; None for more lines or for a file as a whole."""
    region = place.get("region")
    if not region:
        return None
    with open(urllib.parse.unquote(place["artifactLocation"]["uri"].removeprefix("file://")), "rb") as file:
        lines = re.split(r"\r\n|\n|\r", file.read().decode("utf-8-sig", errors="replace"))
    begin, end = region["startLine"], region["endLine"]
    assert begin <= end <= len(lines), place
    assert region["startColumn"] <= len(lines[begin - 1]) + 1, place
    assert region["endColumn"] <= len(lines[end - 1]) + 1, place
    return lines[begin - 1][region["startColumn"] - 1:region["endColumn"] - 1] if begin == end else None


def run(*arguments):
    return subprocess.run([netc, "check", "--error-limit=0", *arguments], capture_output=True,
                          text=True, check=False).stderr


def check(path):
    """One log says what the JSON of the same run says."""
    log = json.loads(run("--diagnostics=sarif", path))
    jsonschema.validate(log, LOG)
    said = [json.loads(line) for line in run("--diagnostics=json", path).splitlines()]
    results = log["runs"][0]["results"]
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(dict.fromkeys(one["code"] for one in said))
    assert len(results) == len(said)
    for result, one in zip(results, said):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == one["code"]
        assert result["level"] == one["severity"]
        text = result["message"]["text"].replace("{{", "{").replace("}}", "}")
        assert text.split("\n")[0] == one["message"].split("\n")[0]
        place = result["locations"][0]["physicalLocation"]
        found = place_text(place)
        if found is not None:
            with open(one["file"], "rb") as file:
                bytes_there = file.read()[one["begin"]["byte"]:one["end"]["byte"]]
            assert found == bytes_there.decode(errors="replace"), (found, bytes_there)
        assert len(result["relatedLocations"]) == len(one["labels"])
        for related in result["relatedLocations"]:
            place_text(related["physicalLocation"])
        edits = [fix for fix in one["fixes"] if "replacement" in fix]
        assert [fix["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"]
                for fix in result["fixes"]] == [fix["replacement"] for fix in edits]
        assert [fix["properties"]["applicable"] for fix in result["fixes"]] == \
            [fix["applicable"] for fix in edits]
    with tempfile.TemporaryDirectory() as folder:
        beside = os.path.join(folder, "log.sarif")
        run("--diagnostics=short", f"--sarif-file={beside}", path)
        with open(beside, encoding="utf-8") as file:
            assert json.load(file) == log
    return len(results)


total = 0
for name in sys.argv[2:]:
    try:
        total += check(name)
    except (AssertionError, jsonschema.ValidationError, json.JSONDecodeError) as error:
        sys.exit(f"{name}: {error}")
print(f"{len(sys.argv) - 2} logs with {total} results")
sys.exit(0 if total > 100 else 1)
