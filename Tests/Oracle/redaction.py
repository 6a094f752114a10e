# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Redaction, as Docs/Redaction.md tells it."""

import functools
import re
import unicodedata

import guide
from siphash import siphash128

DROPPED = object()
DIGITS = tuple("0123456789")


@functools.lru_cache(maxsize=None)
def folded(text):
    """A text as rules compare it: each scalar in lower case by itself, one form of composed letters."""
    return unicodedata.normalize("NFC", "".join(scalar.lower() for scalar in text))


def letters(text):
    return folded(text.replace("-", "").replace("_", ""))


class Part:
    """What stands between two dots of a key, as it is compared, also without the numbers at its end."""

    def __init__(self, text):
        self.plain = letters(text)
        self.unnumbered = letters(text.rstrip("0123456789-_")) if text[-1:] in DIGITS else self.plain


class NameRule:
    """A rule for keys by their name, or by its ending."""

    def __init__(self, name, is_ending, action):
        self.action = action
        self.is_ending = is_ending
        self.counts_numbers = name[-1:] in DIGITS
        self.is_path = "." in name
        self.words = [letters(name)] if self.is_path else [folded(one) for one in re.split("[-_]", name) if one]

    def answer(self, parts):
        wanted = any(self.begins(parts[:end + 1]) if self.is_path else self.ends(parts, end) for end in range(len(parts)))
        return self.action if wanted else None

    def last(self, part):
        return part.plain if self.counts_numbers else part.unnumbered

    def is_same(self, text, name):
        return text.endswith(name) if self.is_ending else text == name

    def begins(self, parts):
        """Whether the name, which has dots, is for a key with this beginning."""
        return self.is_same(".".join([part.plain for part in parts[:-1]] + [self.last(parts[-1])]), self.words[0])

    def ends(self, parts, end):
        """Whether the name, which has none, ends with this part of a key; the key may have a dot between two words."""
        def fits(text, at, count):
            if self.is_same(text, "".join(self.words[:count])):
                return True
            # Between the dots in front may be nothing that counts.
            before = at - 1
            while before > 0 and not parts[before].plain:
                before -= 1
            return before >= 0 and any(
                text == "".join(self.words[first:count]) and fits(parts[before].plain, before, first)
                for first in range(1, count)
            )

        return fits(self.last(parts[end]), end, len(self.words))


class FunctionRule:
    def __init__(self, answer, action):
        self.asked = answer
        self.action = action


class Redaction:
    def __init__(self, case):
        key = case.get("pseudonymKey")
        self.key = bytes.fromhex(key) if key else None
        self.has_standard = case["standard"]
        self.count = 0
        self.set_rules(case["rules"])

    def set_rules(self, rules):
        self.rules = []
        for rule in rules:
            kind, name, action = rule["kind"], rule.get("name"), rule["action"]
            if kind in ("key", "suffix"):
                self.rules.append(NameRule(name, kind == "suffix", action))
            elif kind == "valueBegins":
                self.rules.append(FunctionRule(lambda key, text, name=name: text.startswith(name), action))
            elif kind == "keyIs":
                self.rules.append(FunctionRule(lambda key, text, name=name: key == name, action))
        if self.has_standard:
            suffixes, keys = guide.standard_names()
            self.rules += [NameRule(name, True, "mask") for name in suffixes]
            self.rules += [NameRule(name, False, "mask") for name in keys]
        self.known = {}

    def named(self, key):
        """The name rules' answers for a key, in the order of the rules."""
        if key not in self.known:
            parts = [Part(part) for part in key.split(".")]
            self.known[key] = [
                rule if isinstance(rule, FunctionRule) else rule.answer(parts) for rule in self.rules
            ]
        return self.known[key]

    def text(self, key, text):
        """What becomes of one text."""
        for answer in self.named(key):
            if isinstance(answer, FunctionRule):
                answer = answer.action if answer.asked(key, text) else None
            if answer is None:
                continue
            if answer == "keep":
                return text
            self.count += 1
            if answer == "mask":
                return "[redacted]"
            if answer == "drop":
                return DROPPED
            return "p:" + siphash128(self.key, text.encode()).hex()
        return text

    def value(self, key, value, level=1):
        """What becomes of a value; a container of which all goes, goes too. What is cut as too deep is not looked at."""
        if level > 64:
            return value
        if isinstance(value, str):
            return self.text(key, value)
        if isinstance(value, list):
            kept = [self.value(key, element, level + 1) for element in value]
            kept = [element for element in kept if element is not DROPPED]
        else:
            kept = {name: self.value(key + "." + name, element, level + 1) for name, element in value.items()}
            kept = {name: element for name, element in kept.items() if element is not DROPPED}
        return DROPPED if value and not kept else kept
