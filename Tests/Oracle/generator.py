# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Makes up cases from a seed: configurations, and what is logged under each."""

import random
import unicodedata

import guide
import mapping

LEVELS = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
SUFFIXES, KEYS = guide.standard_names()
FORBIDDEN = [*mapping.FORBIDDEN, *(beginning + "host" for beginning in mapping.FORBIDDEN_BEGINNINGS)]
WORDS = ["user", "id", "http", "status", "a", "b", "count", "tokens", "author", "session", "mail", "code", "body", "k"]
BEYOND_ASCII = [
    "é", "É", "e\u0301", "E\u0301", "ü", "Ü", "u\u0308", "пароль", "ПАРОЛЬ", "Пароль", "schlüssel", "SCHLÜSSEL", "ß", "ẞ",
    "İ", "ı", "ΠΑΣ", "πας", "πασ", "密码", "ｔｏｋｅｎ", "to\u212aen", "Å", "\u212b", "A\u030a", "日本", "🙂", "👩‍👩‍👧", "שלום", "Ω",
    "\u2126",
]
ODD = [
    "", ".", "..", "_", "-", "__", "a.", ".a", "a..b", " ", "a b", "\u0000", "\n", "a\tb", "\u001f", "\u007f", "\u0085", "\u2028",
    "\u2029", '"', "\\", "\\n", "a\"b", "\u0301", "\u0301a", "\u200d", "\u202e", "\ufeff", "\ufffd", "\U0010ffff", "/", "'", "$.a",
]
ALPHABETS = ["x", "ab", "ä", "日", "🙂", "xé", 'q"', "\\", "\u0001", "a\n", "e\u0301"]
NUMBERS = ["1", "2", "10", "_1", "-2", ".0", ".1", "2.3", "1_2", "x2", "٣"]
LABELS = ["shop", "shop.orders", "shop.orders.db", "", ".", "é.ü", "a.b.c.d", "l" * 127 + "é", "日" * 400]
FIELD_NAMES = [
    "ts", "@timestamp", "lvl", "severity", "msg", "log.level", "Message", "é", "e\u0301", "日", "a", "a.b", "id", "seq", "time",
    "message", "count", "app_secret", "x" * 128, "error.type", "error.message", "level_2", "message_2", "_", ".", "err", "line",
]


def settled(value):
    """A value without descriptions that change."""
    if isinstance(value, str):
        return value
    kind, *rest = value
    if kind == "t":
        return ["c", rest[0]]
    if kind == "d":
        return ["d", *([name, settled(one)] for name, one in rest)]
    return [kind, *(settled(one) for one in rest)]


class Generator:
    def __init__(self, seed, count):
        self.random = random.Random(seed)
        self.count = count

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, values):
        return self.random.choice(values)

    # Names

    def varied(self, name):
        """A name as people write it: another case, other hyphens, something in front or behind."""
        if self.chance(0.6):
            name = "".join(self.pick(["-", "_", "_", ".", "", "--"]) if one in "-_" else one for one in name)
        how = self.random.randrange(6)
        if how == 0:
            name = name.upper()
        elif how == 1:
            name = name.title()
        elif how == 2:
            name = "".join(self.pick([one.lower(), one.upper()]) for one in name)
        elif how == 3:
            name = unicodedata.normalize(self.pick(["NFC", "NFD"]), name)
        if self.chance(0.25):
            name = self.pick(["x", "x-", "x_", "my.", "user.", "é", "é."]) + name
        if self.chance(0.25):
            name += self.pick(NUMBERS)
        if self.chance(0.12):
            name += self.pick(["s", ".x", "_x", "é", "\u0301", ".", "-", "_"])
        return name

    def long_name(self):
        alphabet = self.pick(ALPHABETS)
        length = self.pick([100, 110, 111, 112, 120, 126, 127, 128, 129, 130, 140, 300])
        name = mapping.cut(alphabet * length, length)
        return self.pick(["", "", "__tag__:", "a."]) + name + self.pick(["", "", "1", "2", "é"])

    def rule_name(self):
        how = self.random.randrange(10)
        if how < 3:
            return self.pick(WORDS)
        if how < 5:
            return self.pick(BEYOND_ASCII[:19])
        if how < 7:
            return self.pick(["request.body", "token.count", "_code", "a.b", "user-id", "http.status_code", "v2", "a1-key", "error.message"])
        return self.pick(["mail", "k", "user.mail", "id2", "x-é", "body_text", "a", "b"])

    def name(self):
        how = self.random.randrange(100)
        if how < 2:
            return ""
        if how < 42:
            return self.pick(WORDS)
        if how < 50:
            return self.pick(BEYOND_ASCII)
        if how < 56:
            return self.pick(ODD)
        if how < 60:
            return self.pick(FORBIDDEN)
        if how < 67:
            return self.pick(self.taken)
        if how < 70:
            return self.pick(self.taken) + self.pick(["_2", "_3", "_02", "2"])
        if how < 73:
            return self.long_name()
        if how < 83:
            return self.varied(self.pick(SUFFIXES + KEYS))
        if how < 93 and self.rule_names:
            return self.varied(self.pick(self.rule_names))
        return ".".join(self.pick(WORDS + ODD[:5]) for _ in range(self.random.randint(2, 3)))

    # Values

    def text(self):
        how = self.random.randrange(100)
        if how < 45:
            return self.pick(["1", "2", "on", "ok", "GET", "ada", ""])
        if how < 55:
            return "drop-" + self.pick("abc") if self.chance(0.3) else "sk_live_" + self.pick("abc")
        if how < 70:
            return self.pick(ODD + BEYOND_ASCII)
        if how < 74:
            return self.long_text(self.pick([100, 127, 128, 129, 130, 140]))
        if how < 80:
            limit = self.value_limit if self.value_limit <= 4096 else 300
            return self.long_text(limit + self.pick([-41, -40, -1, 0, 1, 2, 3, 4, 40, 1000]))
        return "".join(self.pick("abcäß日🙂\n\"\\\u0000 ") for _ in range(self.random.randint(1, 40)))

    def long_text(self, length):
        alphabet = self.pick(ALPHABETS)
        return mapping.cut(self.pick(["", "y", "yy"]) + alphabet * length, length)

    def value(self, depth=0):
        how = self.random.randrange(100)
        if how < 70 or depth > 9:
            text = self.text()
            if how < 55:
                return text
            if how < 65:
                return ["c", text]
            return ["t", text, self.text()]
        if how < 90:
            return self.dictionary(self.random.choice([0, 1, 1, 2, 2, 3]), depth + 1)
        if how < 99 or depth:
            return ["l", *(self.value(depth + 1) for _ in range(self.random.choice([0, 1, 2, 3])))]
        return self.deep()

    def deep(self):
        """Lists and dictionaries in each other, around the depth at which they are cut."""
        value = self.text()
        for _ in range(self.random.randint(60, 68)):
            value = ["l", value] if self.chance(0.9) else ["d", [self.pick(WORDS), value]]
        return ["l", value]

    def dictionary(self, count, depth=0):
        pairs = {}
        for _ in range(count):
            name = self.name()
            pairs.setdefault(mapping.same(name), [name, self.value(depth)])
        return ["d", *pairs.values()]

    # Cases

    def case(self):
        fields = {}
        names = list(mapping.NAMES)
        if self.chance(0.3):
            for field in self.random.sample(names, self.random.randint(1, 5)):
                fields[field] = self.pick(FIELD_NAMES)
            whole = {**mapping.NAMES, **fields}
            if len({mapping.same(name) for name in whole.values()}) < len(whole):
                fields = {}
        self.taken = list({**mapping.NAMES, **fields}.values()) + ["metadata.omitted"]
        limits = {}
        if self.chance(0.6):
            limits["maximumValueBytes"] = self.pick([256, 256, 257, 300, 1000, 4096])
        self.value_limit = limits.get("maximumValueBytes", 1 << 20)
        if self.chance(0.5):
            limits["maximumNesting"] = self.pick([0, 0, 1, 1, 2, 3, 8, 32])
        self.is_large = self.chance(0.06)
        if self.is_large:
            limits["maximumRecordBytes"] = 32 << 10
            limits["maximumValueBytes"] = self.value_limit = self.pick([4096, 20_000, 1 << 20])
        rules, self.rule_names = [], []
        if self.chance(0.7):
            rules = [self.rule() for _ in range(self.random.randint(1, 6))]
            self.rule_names = [rule["name"] for rule in rules if rule["kind"] in ("key", "suffix")]
        topic, promoted = self.routes()
        statements = [
            {
                "file": self.pick(["Shop/Orders.swift", "Shop/Pay.swift", "NoSlash.swift", "é/x.swift", "A/B/C.swift"]),
                "function": self.pick(["pay()", "f(_:)", "", "ä\n"]),
                "line": line,
                "source": self.pick([None, None, None, "", "Shop", "日本"]),
            }
            for line in self.random.sample(range(500), self.random.randint(1, 6))
        ]
        rates = self.rates() if self.chance(0.3) else {}
        if rates:
            # Under which of a statement's labels its summary goes is not promised.
            for statement in statements:
                statement["label"] = self.pick(LABELS)
        folded = self.random.sample(LEVELS, self.random.randint(1, 5)) if self.chance(0.4) else []
        excludes = [one for one in ("codeLocation", "sequence", "batchID") if self.chance(0.1)]
        # How often what a handler keeps is asked for its description is not promised.
        self.handlers = [settled(self.dictionary(self.random.randint(0, 4))) for _ in range(2)]
        return {
            "source": self.pick(["host-1", "é", "s" * 128]),
            "tags": [["env", "prod"], ["é", "1"]][: self.random.randint(0, 2)],
            "topic": topic,
            "promotedTags": promoted,
            "maximumTopics": self.pick([None, 1, 2, 3, 5]) if not rates or topic["kind"] != "label" else None,
            "fields": fields,
            "excludes": excludes,
            "limits": limits,
            "standard": self.chance(0.7),
            "rules": rules,
            "pseudonymKey": "%032x" % self.random.getrandbits(128),
            "rates": rates,
            "folded": folded,
            "compression": self.pick(["lz4", "lz4", "lz4", "deflate", "none"]),
            "time": 1_767_225_600_000_000_000 + self.random.randrange(10**17),
            "steps": self.steps(statements, bool(rates), bool(rates or folded)),
        }

    def rates(self):
        rates = {}
        for level in self.random.sample(LEVELS, self.random.randint(1, 4)):
            rates[level] = {"first": self.pick([0, 1, 1, 2, 5]), "thenOneIn": self.pick([None, 1, 2, 3, 10])}
        return rates

    def rule(self):
        action = self.pick(["mask", "mask", "drop", "keep", "pseudonym"])
        how = self.random.randrange(10)
        if how < 5:
            return {"kind": "key", "name": self.rule_name(), "action": action}
        if how < 8:
            return {"kind": "suffix", "name": self.rule_name(), "action": action}
        if how < 9:
            return {"kind": "valueBegins", "name": self.pick(["sk_live_", "drop-"]), "action": action}
        return {"kind": "keyIs", "name": self.pick(["a.b", "user", "http.status", "error.message"]), "action": action}

    def routes(self):
        how = self.random.randrange(10)
        if how < 3:
            topic = {"kind": "fixed", "name": self.pick(["", "shop", "é"])}
        elif how < 4:
            topic = {"kind": "label"}
        elif how < 6:
            topic = {"kind": "prefix", "components": self.pick([1, 2, 3])}
        else:
            topic = {"kind": "metadata", "name": self.pick(["tenant", "user", "a", "é", "token", "a.b", "user.mail"])}
        promoted = []
        if self.chance(0.4):
            promoted = self.random.sample(["status", "http", "b", "e\u0308", "ü", "password", "code"], self.random.randint(1, 3))
        self.taken += [topic.get("name", "x")] + promoted
        if topic["kind"] == "metadata":
            self.taken += [topic["name"], topic["name"]]
        return topic, promoted

    def steps(self, statements, rates, repeats):
        steps, last = [], None
        for _ in range(self.count):
            step = {}
            if self.chance(0.03):
                steps.append({"flush": True})
            if self.chance(0.02):
                rules = [self.rule() for _ in range(self.random.randint(0, 3))]
                self.rule_names += [rule["name"] for rule in rules if rule["kind"] in ("key", "suffix")]
                steps.append({"rules": rules})
            if rates and self.chance(0.02):
                steps.append({"rates": self.rates()})
            if rates and self.chance(0.02):
                steps.append({"silence": 3 * 10**9})
            if self.chance(0.5):
                step["nanoseconds"] = self.pick([0, 1, 999, 10**6, 10**8, 4 * 10**8, 10**9, 3 * 10**9, 86_400 * 10**9])
            if last is not None and self.chance(0.6 if repeats else 0.1):
                step["record"] = self.again(last)
            else:
                step["record"] = self.record(self.pick(statements))
            last = step["record"]
            steps.append(step)
        return steps

    def again(self, record):
        """The same once more, or nearly."""
        record = dict(record)
        how = self.random.randrange(20)
        if how == 0:
            record["message"] += "!"
        elif how == 1:
            record["level"] = self.pick(LEVELS)
        elif how == 2 and record.get("event"):
            # The same in another order is the same.
            pairs = record["event"][1:]
            self.random.shuffle(pairs)
            record["event"] = ["d", *pairs]
        return record

    def record(self, statement):
        record = {
            "label": self.pick(LABELS),
            **statement,
            "level": self.pick(LEVELS),
            "message": self.text(),
        }
        if self.chance(0.4):
            record["handler"] = self.pick(self.handlers)
        if self.chance(0.3):
            record["provider"] = self.dictionary(self.random.randint(0, 3))
        if self.chance(0.8):
            record["event"] = self.dictionary(self.random.choice([0, 1, 2, 3, 4, 8]))
        if self.is_large and self.chance(0.7):
            for _ in range(self.random.randint(1, 20)):
                record.setdefault("event", ["d"])
                if all(mapping.same(pair[0]) != "large%d" % len(record["event"]) for pair in record["event"][1:]):
                    text = self.long_text(self.pick([2000, 5000, 40_000]))
                    record["event"] = [*record["event"], ["large%d" % len(record["event"]), text]]
        if self.chance(0.2):
            record["error"] = self.text()
        return record
