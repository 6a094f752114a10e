# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""Holds the model to the examples that the guides give, before it is to judge anything."""

import json
import re

import guide
from model import Model
from redaction import Redaction

BARE = {
    "source": "s", "tags": [], "topic": {"kind": "fixed", "name": ""}, "promotedTags": [], "fields": {}, "excludes": [],
    "limits": {}, "standard": True, "rules": [], "rates": {}, "folded": [], "time": 1_795_421_730_012_345_678,
}


def fields(event, **case):
    record = {
        "level": "error", "label": "shop.payments", "message": "payment failed", "file": "Shop/Payments.swift",
        "function": "pay()", "line": 40, "event": event, **case.pop("record", {}),
    }
    model = Model({**BARE, **case, "steps": [{"record": record}]})
    (one,), = (stream.records for stream in model.streams.values())
    return one["fields"]


def check():
    # Docs/FieldMapping.md, "An example"
    text = (guide.DOCS / "FieldMapping.md").read_text()
    shown = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL).group(1))
    event = ["d", ["http", ["d", ["method", "POST"], ["status", "402"]]], ["items", ["l", "17", "4"]], ["message", "again"]]
    seen = fields(event, record={"error": "declined", "handler": ["d", ["service", "checkout"]]})
    for name in ("time", "seq", "error.type"):  # of another moment, and of the guide's own error
        shown.pop(name), seen.pop(name)
    assert seen == shown, (seen, shown)
    # Its table
    assert fields(["d", ["", "x"]])["_"] == "x"
    assert fields(["d", ["__time__", "x"]])["field.__time__"] == "x"
    assert fields(["d", ["a", ["d"]]])["a"] == "{}"
    assert fields(["d", ["a", ["d", ["b", ["d", ["c", "x"]]]]]], limits={"maximumNesting": 1})["a.b"] == '{"c":"x"}'
    # Docs/Redaction.md, "What is masked by default"
    redaction = Redaction(BARE)
    masked = (
        "api-key API_KEY apiKey x-api-key http.request.header.authorization token.count api.key session.id user.card.number "
        "password2 api_key_1 token.0"
    )
    for name in masked.split():
        assert redaction.value(name, "x") == "[redacted]", name
    for name in "tokens tokenizer author session apis.key".split():
        assert redaction.value(name, "x") == "x", name
    for rule, others in (("пароль", ["Пароль"]), ("schlüssel", ["SCHLÜSSEL", "SCHLU\u0308SSEL"])):
        redaction = Redaction({**BARE, "rules": [{"kind": "key", "name": rule, "action": "mask"}]})
        assert [redaction.value(other, "x") for other in others] == ["[redacted]"] * len(others), others
    for rule, other in (("straße", "STRASSE"), ("id", "ıd"), ("πας", "ΠΑΣ"), ("密码", "密碼"), ("token", "ｔｏｋｅｎ")):
        redaction = Redaction({**BARE, "standard": False, "rules": [{"kind": "key", "name": rule, "action": "mask"}]})
        assert redaction.value(other, "x") == "x", other
