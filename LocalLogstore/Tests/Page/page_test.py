# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""The page in a real browser: a test for each thing it promises. Leaves screenshots.

A machine may be ten times slower than the one these were written on. So everything is waited for: what is read at once
(`settled`, then `all_text_contents` and the like) is read after the page says that it has nothing more to ask for.

Over 400 lines, since all tests share one browser and one endpoint full of logs, which take longer than most of them.
"""

import csv
import http.client
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from playwright.sync_api import expect, sync_playwright

sys.dont_write_bytecode = True
import logs  # noqa: E402
import statistics_oracle  # noqa: E402

TOOL = os.environ["WEBTRACKING"]
SHOTS = pathlib.Path(os.environ.get("SCREENSHOTS", tempfile.mkdtemp(prefix="page-")))
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# How long anything may take, in milliseconds: only a page that is broken takes it.
PATIENCE = 90_000
expect.set_options(timeout=PATIENCE)


class Endpoint:
    """A running `webtracking serve` with a folder of its own."""

    def __init__(self, *arguments, port="0"):
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = arguments
        self.port = port
        self.start()

    def start(self):
        file = pathlib.Path(self.folder.name) / "port"
        file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [TOOL, "serve", "--port", str(self.port), "--port-file", str(file), *self.arguments],
            cwd=self.folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE / 1000
        while not file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the endpoint does not start")
            time.sleep(0.02)
        self.port = int(file.read_text())

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE / 1000)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        self.stop()
        self.folder.cleanup()

    def address(self, query=""):
        return f"http://127.0.0.1:{self.port}/{query}"

    def post(self, *records, topic="", logstore="app", tags=None):
        body = {"__topic__": topic, "__source__": "test", "__logs__": list(records), "__tags__": tags or {}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        status = logs.post(connection, json.dumps(body).encode(), logstore)
        connection.close()
        return status

    def api(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/api/" + path)
        answer = json.load(connection.getresponse())
        connection.close()
        return answer

    def clear(self):
        """As somebody else does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("DELETE", "/api/logs", headers={"content-type": "application/json"})
        assert connection.getresponse().status == 200
        connection.close()


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.playwright = sync_playwright().start()
        cls.addClassCleanup(cls.playwright.stop)
        cls.browser = cls.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE)
        cls.addClassCleanup(cls.browser.close)
        # One shop for all tests that only look.
        cls.shop = Endpoint()
        cls.addClassCleanup(cls.shop.close)
        logs.fill(cls.shop.port, 6000)

    def setUp(self):
        self.errors = []

    def blank(self, width=1440, **options):
        """A page that shows nothing yet, in a context of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": 860}, timezone_id="UTC", **options)
        self.addCleanup(context.close)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        # What the page's policy has refused is no harm done, but nothing may try.
        page.on("console", lambda message: self.errors.append(message.text) if "Content Security Policy" in message.text else None)
        return page

    def open(self, endpoint, query="", scheme="light", **options):
        page = self.blank(color_scheme=scheme, **options)
        page.goto(endpoint.address(query))
        return page

    def routed(self, handle, address="**/api/logs?*"):
        """A page that shows nothing yet, whose questions for an address go to `handle`. A route that is set on a page that is
        open may be passed by: on a busy machine Chromium sends its next question before it knows of the route."""
        page = self.blank()
        page.route(address, handle)
        return page

    def counting(self, query=""):
        """A page that has its rows, and has waited long for their counts, which are held back."""
        held = []
        page = self.routed(lambda route: held.append(route), "**/api/overview?*")
        # The page's time stands still until it has its rows, however long those take.
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        with page.expect_request("**/api/overview?*"):
            page.goto(self.shop.address(query))
        page.clock.run_for(100)
        expect(page.locator("#progress")).to_be_hidden()
        page.clock.run_for(1000)
        expect(page.locator("#progress")).to_be_visible()
        return page, held

    def settled(self, page):
        """Waits until the page has all answers, and has drawn them."""
        expect(page.locator("#logs")).to_have_attribute("aria-busy", "false")
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def wait(self, page, held):
        """Waits until a question is held back."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not held:
            self.assertLess(time.monotonic(), deadline, "the page does not ask")
            page.wait_for_timeout(20)

    def connection(self, endpoint):
        connection = http.client.HTTPConnection("127.0.0.1", endpoint.port)
        self.addCleanup(connection.close)
        return connection

    def endpoint(self, *arguments, **options):
        endpoint = Endpoint(*arguments, **options)
        self.addCleanup(endpoint.close)
        return endpoint

    def shot(self, page, name):
        page.screenshot(path=SHOTS / f"{name}.png")

    def tearDown(self):
        self.assertEqual(self.errors, [])

    def expect_messages(self, page, messages):
        """Rows with exactly these messages, the newest first."""
        expect(page.locator(".row .message")).to_have_text(messages)

    def copied(self, page, button):
        """What a button puts into the clipboard. Copying takes its time, and the button says so only for a moment."""
        part, page = page, getattr(page, "page", page)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.evaluate("navigator.clipboard.writeText('')")
        part.get_by_role("button", name=button).click()
        page.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
        return page.evaluate("navigator.clipboard.readText()")

    def press_tool(self, page, name):
        """Presses a button that only shows while the pointer is near."""
        button = page.get_by_role("button", name=name)
        button.hover()
        button.click()

    # The page itself

    def test_keeps_to_itself(self):
        """No request leaves the endpoint, and nothing is refused by the page's own policy."""
        page = self.blank()
        asked, refused = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
        page.goto(self.shop.address())
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        self.assertTrue(any("/api/overview" in address for address in asked), asked)
        for address in asked:
            self.assertTrue(address.startswith(self.shop.address()), address)
        self.assertEqual(refused, [])

    def test_is_light_and_dark(self):
        page = self.open(self.shop, scheme="light")
        expect(page.locator(".row").first).to_be_visible()
        expect(page.locator("#histogram rect").first).to_be_visible()
        self.settled(page)
        light, dark = "rgb(244, 246, 248)", "rgb(15, 20, 26)"
        expect(page.locator("body")).to_have_css("background-color", light)
        self.shot(page, "logs-light")
        page.keyboard.press("t")
        expect(page.locator("body")).to_have_css("background-color", dark)
        page.reload()
        expect(page.locator("body")).to_have_css("background-color", dark)
        page = self.open(self.shop, scheme="dark")
        expect(page.locator("body")).to_have_css("background-color", dark)
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        self.shot(page, "logs-dark")

    def test_is_used_with_the_keyboard(self):
        page = self.open(self.shop)
        expect(page.locator(".row").first).to_be_visible()
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("level: error")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"q=level"))
        self.settled(page)
        # In this order: the rows of before have errors too, and in between there are none at all.
        expect(page.locator(".row.level-info")).to_have_count(0)
        expect(page.locator(".row.level-error").first).to_be_visible()
        self.settled(page)
        expect(page.locator("#search")).not_to_be_focused()
        page.keyboard.press("j")
        expect(page.locator(".row.selected")).to_have_attribute("data-index", "0")
        page.keyboard.press("j")
        expect(page.locator(".row.selected")).to_have_attribute("data-index", "1")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        expect(page.locator(".record")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".record")).to_have_count(0)
        page.keyboard.press("2")
        expect(page.locator("#deliveries")).to_be_visible()
        page.keyboard.press("?")
        expect(page.locator("dialog#keys")).to_be_visible()
        self.shot(page, "keys")

    # Live tail

    def test_follows_and_pauses(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "old", "level": "info"})
        page = self.open(endpoint, "?live=1")
        expect(page.locator(".row .message").first).to_have_text("old")
        endpoint.post({"message": "one", "level": "info"})
        expect(page.locator(".row .message").first).to_have_text("one")
        page.keyboard.press("p")
        expect(page.locator("#live")).to_contain_text("Paused")
        endpoint.post(*[{"message": f"while paused {n}"} for n in range(3)])
        expect(page.locator("#fresh")).to_contain_text("3 new logs")
        expect(page.locator(".row .message").first).to_have_text("one")
        self.shot(page, "live-paused")
        page.keyboard.press("p")
        self.expect_messages(page, ["while paused 2", "while paused 1", "while paused 0", "one", "old"])
        page.keyboard.press("l")
        expect(page.locator("#live")).to_have_attribute("aria-pressed", "false")

    def test_follows_a_search_only(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "first", "level": "error"})
        page = self.open(endpoint, "?live=1&q=level%3A+error")
        expect(page.locator(".row .message").first).to_have_text("first")
        endpoint.post({"message": "no", "level": "info"}, {"message": "yes", "level": "error"})
        self.expect_messages(page, ["yes", "first"])

    def test_takes_no_old_log_for_a_new_one(self):
        """The last to arrive need not be the newest by what they state."""
        endpoint = self.endpoint()
        logs.fill(endpoint.port, 300, span=10)
        shop = logs.Shop(seed=2)
        self.assertEqual(logs.post(self.connection(endpoint), shop.body([time.time() - 3600] * 100)), 200)
        page = self.open(endpoint, "?live=1")
        expect(page.locator("#summary")).to_have_text(re.compile(r"^0 logs since you watch"))
        endpoint.post({"message": "new"})
        expect(page.locator(".row .message").first).to_have_text("new")
        expect(page.locator("#summary")).to_have_text(re.compile(r"^1 log since you watch"))

    def test_goes_on_after_a_long_pause(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "start"})
        page = self.open(endpoint, "?live=1")
        expect(page.locator(".row")).to_have_count(1)
        page.keyboard.press("p")
        expect(page.locator("#live")).to_contain_text("Paused")
        # More than the page lets wait: it asks for the rest when it goes on.
        logs.fill(endpoint.port, 7000, span=1)
        expect(page.locator("#fresh")).to_contain_text("over")
        page.keyboard.press("p")
        expect(page.locator("#summary")).to_have_text("7,000 logs since you watch · 7,001 shown")

    def test_keeps_up_with_five_thousand_a_second(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "start"})
        page = self.open(endpoint, "?live=1")
        expect(page.locator(".row")).to_have_count(1)
        # A page that does nothing has gaps too if the machine is busy with other things: it is the measure.
        idle = self.blank()
        watch = """() => {
            window.gaps = [];
            let last = performance.now();
            const frame = (now) => { window.gaps.push(now - last); last = now; window.frame = requestAnimationFrame(frame); };
            requestAnimationFrame(frame);
        }"""
        read = "() => { cancelAnimationFrame(window.frame); return window.gaps.sort((left, right) => left - right); }"
        page.evaluate(watch)
        idle.evaluate(watch)
        shop, seconds, rate, pieces = logs.Shop(), 4, 5000, 10
        connection = self.connection(endpoint)
        bodies = [shop.body([time.time()] * (rate // pieces)) for _ in range(seconds * pieces)]
        begin = time.monotonic()
        for index, body in enumerate(bodies):
            delay = begin + index / pieces - time.monotonic()
            if delay > 0:
                time.sleep(delay)
            self.assertEqual(logs.post(connection, body), 200)
        total = seconds * rate
        expect(page.locator("#summary")).to_have_text(re.compile(f"^{total:,} logs since you watch"))
        gaps, pauses = page.evaluate(read), idle.evaluate(read)
        self.settled(page)
        rows = page.locator(".row").count()
        print(f"live: {total} logs in {time.monotonic() - begin:.1f} s, {len(gaps)} frames, "
              f"median gap {gaps[len(gaps) // 2]:.0f} ms, longest {gaps[-1]:.0f} ms (of an idle page {pauses[-1]:.0f} ms), "
              f"{rows} rows in the document")
        self.assertTrue(0 < rows < 120, rows)
        # Never frozen, even on a busy machine with a debug build.
        self.assertLess(gaps[-1], 1500 + 4 * pauses[-1])
        self.shot(page, "live")

    def test_says_live_when_it_is_asked_again(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "old"})
        page = self.open(endpoint, "?live=1")
        self.expect_messages(page, ["old"])
        self.settled(page)
        page.keyboard.press("p")
        expect(page.locator("#live")).to_contain_text("Paused")
        page.keyboard.press("r")
        expect(page.locator("#live")).to_contain_text("Live")
        endpoint.post({"message": "new"})
        self.expect_messages(page, ["new", "old"])

    def test_opens_a_selected_log_that_new_ones_have_moved(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "old"})
        page = self.open(endpoint, "?live=1")
        self.expect_messages(page, ["old"])
        page.keyboard.press("j")
        expect(page.locator(".row.selected")).to_have_count(1)
        endpoint.post(*({"message": str(number)} for number in range(200)))
        expect(page.locator("#summary")).to_contain_text("201 shown")
        page.keyboard.press("Enter")
        expect(page.locator(".row[aria-expanded='true'] .message")).to_have_text("old")
        expect(page.locator(".record strong")).to_be_in_viewport(ratio=0.9)

    def test_shows_once_what_was_opened_before_it_arrived(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "one", "seq": "1"})
        page = self.open(endpoint, "?live=1")
        self.expect_messages(page, ["one"])
        page.locator(".row").click()
        expect(page.locator("#live")).to_contain_text("Paused")
        endpoint.post({"message": "two", "seq": "2"})
        expect(page.locator("#fresh")).to_contain_text("1 new log")
        page.get_by_role("button", name="Show around").click()
        page.locator(".neighbours li button", has_text="two").click()
        self.expect_messages(page, ["two", "one"])
        page.keyboard.press("p")
        expect(page.locator("#live")).to_contain_text("Live")
        endpoint.post({"message": "three", "seq": "3"})
        self.expect_messages(page, ["three", "two", "one"])

    # Histogram and counts

    def test_marks_round_times(self):
        page = self.open(self.shop)
        expect(page.locator("#histogram .labels text").first).to_be_visible()
        self.settled(page)
        # An hour: the marks are whole minutes that people count in, and none is over another.
        texts = page.locator("#histogram .labels text")
        marks = [text for text in texts.all_text_contents() if ":" in text]
        self.assertTrue(5 <= len(marks) <= 14, marks)
        for mark in marks:
            self.assertRegex(mark, r"^\d\d:\d[05]$")
        boxes = sorted((box["x"], box["x"] + box["width"]) for box in (text.bounding_box() for text in texts.all()) if box["width"] > 20)
        for (_, end), (begin, _) in zip(boxes, boxes[1:]):
            self.assertLess(end + 4, begin)
        made = page.evaluate("""async () => {
            const { ticks } = await import("/assets/format.js");
            return [1, 7, 1e3, 3e5, 3e7, 6e7, 4e10, 9e11].map((span) => ticks(1.7e15 + 123, 1.7e15 + 123 + span * 10, 9).map(({ text }) => text));
        }""")
        for texts in made:
            self.assertTrue(1 <= len(texts) <= 10, texts)
            self.assertEqual(len(set(texts)), len(texts), texts)
        self.assertEqual(made[5], ["22:14", "22:16", "22:18", "22:20", "22:22"])

    def test_zooms_by_dragging_over_the_histogram(self):
        page = self.open(self.shop)
        expect(page.locator("#histogram rect").first).to_be_visible()
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile(r"^6,000 logs · "))
        box = page.locator("#histogram").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 30)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 30, steps=5)
        expect(page.locator("#histogram .selected")).to_be_visible()
        page.mouse.up()
        expect(page).to_have_url(re.compile(r"from=\d+&until=\d+"))
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile(r"^[\d,]+ logs · "))
        found = int(page.locator("#summary").text_content().split(" logs")[0].replace(",", ""))
        self.assertTrue(300 < found < 900, found)
        page.locator("#histogram").dblclick()
        expect(page).not_to_have_url(re.compile(r"from="))
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile(r"^6,000 logs · "))
        # And with keys.
        page.locator("#histogram").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"from=\d+"))

    def test_stacks_levels_and_counts_values(self):
        page = self.open(self.shop)
        expect(page.locator("#legend button")).to_have_count(7)
        for level in ("critical", "error", "warning", "info"):
            expect(page.locator(f"#histogram rect.level-{level}").first).to_be_attached()
        counted = {item["value"]: item["count"] for item in self.shop.api("overview")["levels"]}
        expect(page.locator("#legend button", has_text="error")).to_contain_text(str(counted["error"]))
        page.get_by_role("button", name=re.compile("^shop.db")).click()
        expect(page.locator("#search")).to_have_value('label = "shop.db"')
        expect(page.locator(".row .label").first).to_have_text("shop.db")
        # What is pressed next is drawn anew by the answers.
        self.settled(page)
        # Any field: http.status.
        page.locator(".facet-head", has_text="http.status").click()
        page.locator(".facet", has_text="http.status").get_by_role("button", name=re.compile("^502")).click()
        expect(page.locator("#search")).to_have_value('label = "shop.db" and http.status = "502"')
        total = self.shop.api("overview?q=label:+shop.db+and+http.status:+502")["total"]
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile(f"^{total:,} logs · "))
        # The same once more takes it away; and without.
        page.locator(".facet", has_text="http.status").get_by_role("button", name=re.compile("^502")).click()
        expect(page.locator("#search")).to_have_value('label = "shop.db"')
        self.settled(page)
        self.press_tool(page, "Without label shop.db")
        expect(page.locator("#search")).to_have_value('not label = "shop.db"')

    def test_filters_for_what_it_counted(self):
        endpoint = self.endpoint()
        # Values that have the words of the first one, and are too rare to be shown beside it.
        paths = ["/orders"] * 4 + [f"/users-{number}" for number in range(9)] * 2 + ["/orders/1", "/orders?all", "/Orders"]
        endpoint.post(*[{"message": "m", "path": path} for path in paths])
        endpoint.post({"message": "m", "level": "error"}, {"message": "m", "level": "ERR"}, {"message": "m", "level": "no error"})
        page = self.open(endpoint)
        self.settled(page)
        page.locator(".facet-head", has_text="path").click()
        facet = page.locator(".facet", has_text="path")
        expect(facet.locator(".pick")).to_have_count(10)
        pick = facet.locator(".pick", has=page.locator(".name", has_text=re.compile("^/orders$")))
        expect(pick.locator(".number")).to_have_text("4")
        pick.click()
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile("^4 logs · "))
        pick.click()
        expect(page.locator("#search")).to_have_value("")
        self.settled(page)
        # Levels of several names are counted together.
        expect(page.locator("#legend button", has_text="error")).to_have_text("error2")
        page.locator("#legend button", has_text="error").click()
        expect(page.locator("#search")).to_have_value('(level = "ERR" or level = "error")')
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile("^2 logs · "))

    def test_leaves_a_filter_that_means_more(self):
        endpoint = self.endpoint()
        endpoint.post(*[{"message": "m", "label": label} for label in ("shop", "shop", "shop.db", "mail")])
        page = self.open(endpoint, "?q=label%3A+shop")
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile("^3 logs · "))
        pick = page.locator(".facet .pick", has=page.locator(".name", has_text=re.compile("^shop$")))
        pick.click()
        expect(page.locator("#search")).to_have_value('label: shop and label = "shop"')
        self.settled(page)
        expect(page.locator("#summary")).to_have_text(re.compile("^2 logs · "))
        pick.click()
        expect(page.locator("#search")).to_have_value("label: shop")
        # One that means the same goes, however many spaces it has.
        page.locator("#search").fill('message: m and label="shop"')
        page.keyboard.press("Enter")
        self.settled(page)
        pick.click()
        expect(page.locator("#search")).to_have_value("message: m")

    def test_opens_a_facet_fully(self):
        endpoint = self.endpoint()
        endpoint.post(*[{"message": "m", "label": f"label-{number}", "user": f"u{number}"} for number in range(25)])
        page = self.open(endpoint)
        self.settled(page)
        facet = page.locator(".facet", has=page.locator(".facet-head", has_text="label"))
        expect(facet.locator(".facet-head .number")).to_have_text("25")
        expect(facet.locator(".pick")).to_have_count(10)
        facet.get_by_role("button", name="Show all 25").click()
        expect(facet.locator(".pick")).to_have_count(25)
        facet.get_by_role("button", name="Only the first 10").click()
        expect(facet.locator(".pick")).to_have_count(10)
        page.locator(".facet-head", has_text="user").click()
        users = page.locator(".facet", has=page.locator(".facet-head", has_text="user"))
        expect(users.locator(".pick")).to_have_count(10)
        users.get_by_role("button", name="Count all values in all logs").click()
        expect(users.locator(".pick")).to_have_count(25)
        # Of very many the page says that there are more.
        endpoint.post(*[{"message": "m", "label": f"other-{number}", "user": f"v{number}"} for number in range(1100)])
        page.keyboard.press("r")
        self.settled(page)
        expect(facet.locator(".facet-head .number")).to_have_text("1,125")
        facet.get_by_role("button", name="Show all 1,000").click()
        expect(facet.locator(".pick")).to_have_count(1000)
        expect(facet.locator(".note")).to_have_text("The 1,000 most frequent of 1,125. A search narrows them down.")
        users.get_by_role("button", name="Count all values in all logs").click()
        expect(users.locator(".pick")).to_have_count(1000)
        expect(users.locator(".note")).to_contain_text("The 1,000 most frequent; there are more.")

    def test_hides_no_field_behind_a_log_that_has_hundreds(self):
        endpoint = self.endpoint()
        endpoint.post(*[{"message": "m", "wanted": "x"} for _ in range(3)])
        endpoint.post({"message": "m"} | {f"field-{number}": "x" for number in range(300)})
        page = self.open(endpoint)
        self.settled(page)
        page.locator(".facet-head", has_text="wanted").click()
        expect(page.locator(".facet", has_text="wanted").locator(".pick .number")).to_have_text("3")
        # The 200 that are listed are of message, wanted, what the request says (its topic and source), and of the 300.
        expect(page.locator("#facets > .note")).to_have_text("104 more, each in fewer logs")

    # Search

    def test_finds_exactly_what_a_value_is(self):
        endpoint = self.endpoint()
        values = ["shop", "shop.orders", "---", "订单支付失败" * 11, "a \"quoted\" \\ text", "x" * 300]
        endpoint.post(*[{"message": "m", "what": value} for value in values])
        page = self.open(endpoint)
        self.settled(page)
        page.locator(".facet-head", has_text="what").click()
        facet = page.locator(".facet", has_text="what")
        expect(facet.locator(".pick")).to_have_count(len(values))
        # Too long to be told from others: it is shown, but is no filter.
        expect(facet.get_by_role("button", name=re.compile("^xxx"))).to_be_disabled()
        for value in values[:-1]:
            button = facet.locator(".pick", has=page.locator(".name", has_text=re.compile(f"^{re.escape(value)}$")))
            button.click()
            self.settled(page)
            expect(page.locator("#summary")).to_have_text(re.compile("^1 log · "))
            button.click()
            expect(page.locator("#search")).to_have_value("")
            self.settled(page)
        # A second click takes away the one it is about, wherever it stands.
        page.locator("#search").fill('message = "m" and what: shop and not level: *')
        page.keyboard.press("Enter")
        self.settled(page)
        page.locator(".facet", has_text="message").locator(".facet-head").click()
        page.locator(".facet", has_text="message").locator(".pick").click()
        expect(page.locator("#search")).to_have_value("what: shop and not level: *")

    def test_points_at_what_is_wrong(self):
        page = self.open(self.shop)
        page.locator("#search").fill("level: error and ms > ten")
        page.keyboard.press("Enter")
        expect(page.locator("#search-error")).to_contain_text("column 23")
        lines = page.locator("#search-error").text_content().split("\n")
        self.assertEqual(lines[1].index("^"), lines[0].index("ten"))
        self.assertEqual(lines[1].count("^"), 3)
        # What is wrong is selected, also behind characters that take two units.
        page.locator("#search").fill("😀a and ms > ten")
        page.keyboard.press("Enter")
        expect(page.locator("#search-error")).to_contain_text("column 13")
        selected = page.evaluate("(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))(document.activeElement)")
        self.assertEqual(selected, "ten")
        self.shot(page, "search-error")

    def test_keeps_its_state_in_the_address(self):
        page = self.open(self.shop)
        expect(page.locator(".row").first).to_be_visible()
        page.locator("#search").fill("payment* and level: warning")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"q=payment"))
        self.settled(page)
        expect(page.locator(".row.level-warning").first).to_be_visible()
        expect(page.locator(".row.level-info")).to_have_count(0)
        page.locator("#range").select_option("6h")
        expect(page).to_have_url(re.compile("range=6h"))
        self.settled(page)
        total = self.shop.api("overview?q=payment*+and+level:+warning")["total"]
        summary = re.compile(f"^{total:,} logs · ")
        expect(page.locator("#summary")).to_have_text(summary)
        other = self.blank()
        other.goto(page.url)
        expect(other.locator("#search")).to_have_value("payment* and level: warning")
        expect(other.locator("#range")).to_have_value("6h")
        expect(other.locator("#summary")).to_have_text(summary)
        page.go_back()
        expect(page.locator("#range")).to_have_value("")
        page.go_back()
        expect(page.locator("#search")).to_have_value("")

    def test_says_that_a_logstore_is_unknown(self):
        page = self.open(self.shop, "?logstore=nosuch")
        expect(page.locator("#state")).to_contain_text("No logs of a logstore nosuch")
        expect(page.locator("#state")).to_contain_text("There are logs of local / app.")
        expect(page.locator("#logstore option:checked")).to_have_text("* / nosuch, unknown (0)")
        self.shot(page, "unknown-logstore")
        page.get_by_role("button", name="Show all logstores").click()
        expect(page.locator(".row").first).to_be_visible()
        expect(page.locator("#logstore option:checked")).to_have_text(re.compile("^All logstores"))
        # One that is here, without its project.
        page = self.open(self.shop, "?logstore=app")
        expect(page.locator("#logstore option:checked")).to_have_text("* / app (6,000)")
        expect(page.locator(".row").first).to_be_visible()

    def test_takes_times_as_people_write_them(self):
        # A quarter of an hour in the middle.
        start = int(time.time()) - 2400
        iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start))
        written = time.strftime("%m-%d %H:%M:%S + 15 min", time.gmtime(start))
        found = []
        for begin, end in [
            (f"{iso}Z", str((start + 900) * 1000)),
            (f"{start}", f"{start + 900}000000"),
            (f"{start}000", time.strftime("%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(start + 900 + 8 * 3600))),
        ]:
            page = self.open(self.shop, f"?from={begin}&until={end}")
            self.settled(page)
            expect(page.locator("#range option:checked")).to_have_text(written)
            expect(page.locator("#summary")).to_have_text(re.compile(r"^1,[\d,]+ logs · "))
            found.append(page.locator("#summary").text_content())
        self.assertEqual(len(set(found)), 1, found)
        for query, fault in [
            ("from=yesterday", "from=yesterday is no time"), ("until=2026-02-30T00:00:00Z", "until=2026-02-30T00:00:00Z is no time"),
            ("range=3h", "range=3h is no range: there are 5m, 15m, 1h, 6h, 24h, 7d."),
        ]:
            page = self.open(self.shop, f"?{query}")
            expect(page.locator("#state")).to_contain_text(fault)
            expect(page.locator("body")).not_to_contain_text("NaN")
            page.get_by_role("button", name="Search all time").click()
            expect(page.locator(".row").first).to_be_visible()
            self.assertNotIn("?", page.url)

    def test_folds_its_fields_away_where_there_is_no_room(self):
        page = self.open(self.shop, width=800)
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        expect(page.locator("#facets")).to_be_hidden()
        page.get_by_role("button", name="Fields", exact=True).click()
        expect(page.locator("#facets")).to_be_visible()
        page.get_by_role("button", name=re.compile("^shop.db")).click()
        expect(page.locator("#search")).to_have_value('label = "shop.db"')
        self.settled(page)
        expect(page.locator(".row").first).to_be_in_viewport(ratio=0.9)
        self.shot(page, "fields-unfolded")
        page.get_by_role("button", name="Fields", exact=True).click()
        expect(page.locator("#facets")).to_be_hidden()

    def test_fits_a_narrow_window(self):
        for width in (480, 360):
            for query in ("", "?view=deliveries", "?view=rehearsal", "?q=level%3A", "?q=nosuchword", "?logstore=nosuch", f"?q={'long' * 60}"):
                page = self.open(self.shop, query, width=width)
                self.settled(page)
                if not query:
                    page.locator(".row").first.click()
                    expect(page.locator(".record")).to_be_visible()
                wide = page.evaluate("""(width) => [...document.querySelectorAll("body *")].filter((element) => {
                    // What is inside of something that scrolls is reached by scrolling that.
                    for (let parent = element.parentElement; parent; parent = parent.parentElement) if (getComputedStyle(parent).overflowX !== "visible") return false;
                    return element.getBoundingClientRect().right > width + 0.5;
                }).map((element) => element.outerHTML.slice(0, 80))""", width)
                self.assertEqual(wide, [], f"{width} {query}")
                self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width, query)
                if width == 480:
                    self.shot(page, f"narrow{re.sub('[^a-z]+', '-', query)[:20]}")
        page = self.open(self.shop, width=1280)
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        self.shot(page, "logs-1280")

    def test_goes_on_to_older_logs(self):
        page = self.open(self.shop)
        expect(page.locator("#summary")).to_contain_text(" · 200 loaded")
        self.settled(page)
        page.keyboard.press("G")
        expect(page.locator("#summary")).to_contain_text(" · 600 loaded")
        self.settled(page)
        rows = page.locator(".row").count()
        self.assertTrue(0 < rows < 120, rows)

    # A log

    def test_opens_a_log_in_place(self):
        page = self.open(self.shop, "?q=level%3A+critical")
        self.settled(page)
        page.locator(".row").nth(2).click()
        record = page.locator(".record")
        for text in ("seq", "trace.id", "received", "event", "on the way", "env", "version", "shop-1"):
            expect(record).to_contain_text(text)
        page.get_by_role("button", name="Show around").click()
        expect(record.locator(".neighbours li")).to_have_count(17)
        numbers = [int(text) for text in record.locator(".neighbours .seq").all_text_contents()]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 17)))
        expect(record.locator(".neighbours .center .seq")).to_have_text(str(numbers[8]))
        self.shot(page, "record")
        copied = json.loads(self.copied(page, "Copy JSON"))
        self.assertEqual(copied["level"], "critical")
        self.assertEqual(copied["__tag__:env"], "prod")
        link = self.copied(page, "Copy link")
        other = self.open(self.shop, link.split("/", 3)[3])
        expect(other.locator(".record")).to_contain_text(copied["trace.id"])
        self.press_tool(page, "All with this value of user")
        expect(page.locator("#search")).to_have_value(f'level: critical and user = "{copied["user"]}"')

    def test_opens_what_was_sent_around(self):
        page = self.open(self.shop, "?q=level%3A+error")
        self.settled(page)
        page.locator(".row").nth(3).click()
        shown = page.locator(".record .fields tr", has=page.get_by_role("rowheader", name="seq", exact=True)).locator(".value")
        first = int(shown.text_content())
        for number in (first + 1, first):
            page.get_by_role("button", name="Show around").click()
            page.locator(".neighbours li button", has=page.locator(".seq", has_text=re.compile(f"^{number}$"))).click()
            expect(page.locator(".record")).to_have_count(1)
            expect(shown).to_have_text(str(number))
            # It stands below its own row.
            row = page.locator(".row[aria-expanded='true']")
            expect(row).to_have_count(1)
            expect(row).to_have_attribute("data-id", page.locator(".record strong").text_content().removeprefix("Log "))
        # What does not match is there while it is open.
        total = self.shop.api("overview?q=level:+error")["total"]
        expect(page.locator(".row:not(.level-error)")).to_have_count(0)
        page.keyboard.press("Escape")
        page.keyboard.press("G")
        expect(page.locator("#summary")).to_contain_text(f" · {total} loaded")

    def test_opens_a_link_to_an_old_log(self):
        old = self.shop.api("arrivals?q=level:+error&limit=5")["logs"][4]
        total = self.shop.api("overview?q=level:+error")["total"]
        page = self.blank()
        older = []
        page.on("request", lambda request: older.append(request.url) if "/api/logs?" in request.url and "after=" in request.url else None)
        page.goto(self.shop.address(f"?q=level%3A+error&log={old['id']}"))
        record = page.locator(".record strong")
        expect(record).to_have_text(f"Log {old['id']}")
        self.settled(page)
        expect(record).to_be_in_viewport(ratio=0.9)
        # The pages between may be any number. They come when they are asked for, and it stays in sight.
        self.assertEqual(older, [])
        expect(page.locator("#summary")).to_contain_text(" · 200 loaded")
        page.keyboard.press("G")
        expect(page.locator("#summary")).to_contain_text(f" · {total} loaded")
        self.settled(page)
        expect(record).to_be_in_viewport(ratio=0.9)
        # It has its place, and only that one.
        rows = page.evaluate("""[...document.querySelectorAll(".row")].map((row) => [Number(row.dataset.index), Number(row.dataset.id)])""")
        rows.sort()
        self.assertEqual([identity for _, identity in rows], sorted((identity for _, identity in rows), reverse=True))
        expect(page.locator(".row[aria-expanded='true']")).to_have_attribute("data-id", str(old["id"]))

    def test_goes_on_behind_an_old_log_when_its_page_has_come(self):
        page = self.open(self.shop, "?log=5700")
        expect(page.locator(".record strong")).to_have_text("Log 5700")
        self.settled(page)
        page.keyboard.press("G")
        expect(page.locator("#summary")).to_contain_text(" · 600 loaded")
        self.settled(page)
        expect(page.locator(".record strong")).to_be_in_viewport(ratio=0.9)
        page.locator("#list").evaluate("(list) => { list.scrollTop = list.scrollHeight; }")
        expect(page.locator("#summary")).to_contain_text(" · 1,000 loaded")

    def test_leaves_who_went_away_from_an_old_log_alone(self):
        held = []
        page = self.routed(lambda route: held.append(route), re.compile("/api/logs.*after="))
        page.goto(self.shop.address("?log=100"))
        expect(page.locator(".record strong")).to_have_text("Log 100")
        self.settled(page)
        page.keyboard.press("G")
        self.wait(page, held)
        page.keyboard.press("g")
        expect(page.locator(".row.selected")).to_have_attribute("data-index", "0")
        held[0].continue_()
        expect(page.locator("#summary")).to_contain_text(" · 600 loaded")
        self.settled(page)
        self.assertEqual(page.locator("#list").evaluate("(list) => list.scrollTop"), 0)

    def test_forgets_an_old_log_that_was_closed(self):
        page = self.open(self.shop, "?log=100")
        expect(page.locator(".record strong")).to_have_text("Log 100")
        self.settled(page)
        page.keyboard.press("Escape")
        expect(page).not_to_have_url(re.compile("log="))
        # The selection goes to the row above, and pages come as always.
        expect(page.locator(".row.selected")).to_have_attribute("data-index", "199")
        expect(page.locator(".row.selected")).to_be_in_viewport(ratio=0.9)
        expect(page.locator("#summary")).to_contain_text(" · 600 loaded")
        page.keyboard.press("j")
        expect(page.locator(".row.selected")).to_have_attribute("data-index", "200")
        expect(page.locator(".row.selected")).to_be_in_viewport(ratio=0.9)
        page.keyboard.press("r")
        expect(page.locator("#summary")).to_contain_text(" · 200 loaded")
        self.settled(page)
        expect(page.locator(".record")).to_have_count(0)

    def test_brings_a_linked_log_into_sight_when_the_rows_are(self):
        page = self.open(self.shop, "?view=deliveries&log=100")
        expect(page.locator(".record strong")).to_have_text("Log 100")
        self.settled(page)
        page.keyboard.press("1")
        expect(page.locator(".record strong")).to_be_in_viewport(ratio=0.9)

    def test_keeps_its_rows_without_the_log_of_a_link(self):
        page = self.open(self.shop, "?log=999999")
        expect(page.locator("#summary")).to_contain_text("the log of the link is not here: There is no such log")
        expect(page.locator(".row").first).to_be_visible()

    def test_opens_no_link_that_was_left(self):
        held = []
        page = self.routed(lambda route: held.append(route), "**/api/logs/100")
        page.goto(self.shop.address("?log=100"))
        self.wait(page, held)
        page.locator("#search").fill("level: error")
        page.keyboard.press("Enter")
        expect(page.locator(".row.level-info")).to_have_count(0)
        expect(page.locator(".row.level-error").first).to_be_visible()
        held[0].continue_()
        self.settled(page)
        expect(page.locator(".record")).to_have_count(0)

    def test_steps_from_an_open_log_to_the_next(self):
        endpoint = self.endpoint()
        # Each is higher than the window when it is open.
        for number in range(40):
            endpoint.post({"message": str(number)} | {f"field {index}": "x" for index in range(60)})
        page = self.open(endpoint)
        expect(page.locator("#summary")).to_contain_text("40 loaded")
        self.settled(page)
        page.locator(".row").first.click()
        # The first and the last stay open when there is nothing beyond them.
        keys = [("k", 39), ("j", 38), ("j", 37), ("j", 36), ("k", 37)] + [("j", number) for number in range(36, -1, -1)] + [("j", 0), ("k", 1), ("k", 2)]
        for key, message in keys:
            page.keyboard.press(key)
            row = page.locator(".row[aria-expanded='true']")
            expect(row.locator(".message")).to_have_text(str(message))
            expect(row).to_be_in_viewport(ratio=0.9)
            expect(page.locator(".record .fields")).to_contain_text("field 59")
        page.keyboard.press("Escape")
        # The selection stays in sight at both edges of the window too.
        for key, number in [("k", 35), ("j", 39)]:
            for _ in range(number):
                page.keyboard.press(key)
                expect(page.locator(".row.selected")).to_be_in_viewport(ratio=0.9)

    def test_asks_for_no_older_logs_without_the_newest(self):
        failing, held, older = True, [], []

        def answer(route):
            if "after=" in route.request.url:
                older.append(route.request.url)
            if failing and "overview" in route.request.url:
                route.fulfill(status=500, json={"error": {"message": "disk I/O error"}})
            elif not failing and "level" in route.request.url:
                held.append(route)
            else:
                route.continue_()

        page = self.routed(answer, re.compile("/api/(logs|overview)[?]"))
        page.goto(self.shop.address())
        expect(page.locator("#state")).to_contain_text("disk I/O error")
        page.keyboard.press("G")
        failing = False
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#summary")).to_contain_text(" · 200 loaded")
        self.settled(page)
        page.locator("#search").fill("level: error")
        page.keyboard.press("Enter")
        self.wait(page, held)
        page.keyboard.press("G")
        held.pop(0).continue_()
        expect(page.locator(".row.level-info")).to_have_count(0)
        self.assertEqual(older, [])

    # Deliveries and rehearsal

    def test_shows_deliveries_and_rehearses(self):
        endpoint = self.endpoint()
        page = self.open(endpoint, "?view=rehearsal")
        page.get_by_role("button", name="A bad day").click()
        expect(page.locator(".now")).to_contain_text("30 % fail (500, 503, reset, reset-stored)")
        expect(page.locator("#rehearsing")).to_be_visible()
        self.shot(page, "rehearsal")
        page.locator("#rehearsal-errorShare").fill("100")
        for kind in ("500", "reset", "reset-stored"):
            page.locator(f".kinds input[value='{kind}']").uncheck()
        page.locator("#rehearsal-latency").fill("0")
        page.locator("#rehearsal-jitter").fill("0")
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".now")).to_contain_text("100 % fail (503)")
        self.assertEqual(endpoint.post({"message": "x"}), 503)
        page.get_by_role("button", name="Stop rehearsing").click()
        expect(page.locator(".now")).to_contain_text("nothing goes wrong")
        self.assertEqual(endpoint.post({"message": "x"}), 200)
        self.assertEqual(endpoint.post({"message": "x"}), 200)
        logs.fill(endpoint.port, 2000, batch=100)
        page.keyboard.press("2")
        rows = page.locator("#deliveries tbody tr")
        expect(rows).to_have_count(23)
        expect(rows.nth(22)).to_contain_text("503")
        expect(rows.nth(22)).to_contain_text("ServerBusy")
        expect(rows.nth(21)).to_contain_text("attempt 2")
        expect(rows.nth(20)).to_contain_text("duplicate")
        rows.nth(20).get_by_role("button").click()
        expect(page.locator("tr.related")).to_have_count(3)
        expect(page.locator(".tile", has_text="Retries")).to_contain_text("2")
        self.shot(page, "deliveries")

    # States

    def test_begins_with_what_to_do(self):
        endpoint = self.endpoint()
        page = self.open(endpoint)
        expect(page.locator("#state")).to_contain_text("No logs yet")
        expect(page.locator("#state")).to_contain_text(f'endpoint: "http://127.0.0.1:{endpoint.port}"')
        self.shot(page, "first-run")
        # The first log ends it, without a click.
        endpoint.post({"message": "hello"})
        expect(page.locator(".row .message").first).to_have_text("hello")

    def test_says_when_nothing_matches(self):
        page = self.open(self.shop, "?q=nosuchword")
        expect(page.locator("#state")).to_contain_text("No log matches")
        self.shot(page, "no-match")
        page.get_by_role("button", name="Clear the search").click()
        expect(page.locator(".row").first).to_be_visible()

    def test_says_that_it_is_looking(self):
        held = None
        page = self.routed(lambda route: route.continue_() if held is None else held.append(route))
        page.goto(self.shop.address("?view=deliveries"))
        self.settled(page)
        held = []
        page.keyboard.press("1")
        page.locator("#search").fill("order")
        page.keyboard.press("Enter")
        # Until the answer is there.
        expect(page.locator("#progress")).to_be_visible()
        self.wait(page, held)
        held[0].continue_()
        self.settled(page)
        expect(page.locator("#progress")).to_be_hidden()
        expect(page.locator(".row").first).to_be_visible()

    def test_keeps_its_rows_while_it_counts(self):
        page, held = self.counting()
        expect(page.locator("#state")).to_be_hidden()
        expect(page.locator(".row").first).to_be_visible()
        held[0].continue_()
        expect(page.locator("#progress")).to_be_hidden()

    def test_listens_while_it_counts(self):
        page, held = self.counting("?live=1&q=nosuchword")
        expect(page.locator("#state")).to_contain_text("Listening")
        held[0].continue_()
        expect(page.locator("#progress")).to_be_hidden()
        expect(page.locator("#state")).to_contain_text("Listening")

    def test_leaves_the_search_while_there_are_no_rows(self):
        page = self.routed(lambda route: None)
        page.goto(self.shop.address())
        expect(page.locator("#state")).to_contain_text("Searching")
        page.locator("#search").fill("order")
        page.keyboard.press("Enter")
        expect(page.locator("#search")).not_to_be_focused()

    def test_says_what_failed(self):
        is_broken = False
        failure = {"error": {"message": "disk I/O error"}}
        page = self.routed(lambda route: route.fulfill(status=500, json=failure) if is_broken else route.continue_())
        page.goto(self.shop.address())
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        is_broken = True
        page.keyboard.press("r")
        expect(page.locator("#state")).to_contain_text("disk I/O error")
        self.shot(page, "failed")
        is_broken = False
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".row").first).to_be_visible()

    def test_survives_an_endpoint_that_goes_and_comes(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "before"})
        page = self.open(endpoint, "?live=1")
        expect(page.locator(".row .message").first).to_have_text("before")
        endpoint.stop()
        expect(page.locator("#banner")).to_contain_text("webtracking serve")
        self.shot(page, "disconnected")
        endpoint.start()
        expect(page.locator("#banner")).to_be_hidden()
        endpoint.post({"message": "after"})
        self.expect_messages(page, ["after", "before"])

    def test_says_that_there_are_no_logs_when_it_knows(self):
        held = []
        page = self.routed(lambda route: held.append(route), "**/api/status")
        page.goto(self.endpoint().address())
        expect(page.locator("#state")).to_contain_text("No log matches")
        held[0].continue_()
        expect(page.locator("#state")).to_contain_text("No logs yet")

    def test_is_gentle_with_an_endpoint_that_answers_in_part(self):
        asked = []
        page = self.routed(lambda route: route.abort(), re.compile("/api/(overview|tail)"))
        page.on("request", lambda request: asked.append(request.url) if "/api/logs?" in request.url else None)
        # The page's time stands still.
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.goto(self.shop.address("?live=1"))
        expect(page.locator("#state")).to_contain_text("does not answer")
        # Three seconds of it, in which the endpoint has answered a hundred other questions.
        for _ in range(100):
            page.clock.run_for(30)
            page.evaluate("() => fetch('/api/deliveries').then((answer) => answer.text())")
        self.assertLess(len(asked), 6)

    def test_begins_live_again_when_the_endpoint_went_while_it_counted(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "before"})
        is_up, held = True, []
        page = self.routed(lambda route: held.append(route) if is_up else route.continue_(), "**/api/overview?*")
        page.goto(endpoint.address("?live=1"))
        self.expect_messages(page, ["before"])
        self.wait(page, held)
        is_up = False
        endpoint.stop()
        expect(page.locator("#banner")).to_be_visible()
        held[0].abort()
        expect(page.locator("#state")).to_contain_text("does not answer")
        endpoint.start()
        self.expect_messages(page, ["before"])
        endpoint.post({"message": "after"})
        self.expect_messages(page, ["after", "before"])

    def test_survives_an_endpoint_that_begins_anew(self):
        endpoint = self.endpoint("--in-memory")
        endpoint.post({"message": "one"}, {"message": "two"}, {"message": "three"})
        page = self.open(endpoint, "?live=1")
        self.expect_messages(page, ["three", "two", "one"])
        endpoint.stop()
        expect(page.locator("#banner")).to_be_visible()
        endpoint.start()
        expect(page.locator("#banner")).to_be_hidden()
        endpoint.post({"message": "another"})
        self.expect_messages(page, ["another"])

    # Safety

    HOSTILE = {
        "message": "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>\u001b[31mred\u001b[0m\u001b]0;title\u0007",
        "level": "<b>error</b>", "label": "\"><svg onload=window.hacked=1>", "<script>window.hacked=1</script>": "javascript:window.hacked=1",
        "__proto__": "polluted", "constructor": "x", "bidi": "abc\u202egnp.exe", "null": "a\u0000b",
    }

    def test_shows_hostile_text_as_text(self):
        endpoint = self.endpoint()
        status = endpoint.post(self.HOSTILE, topic="<i>topic</i>", tags={"<u>tag</u>": "<script>window.hacked=1</script>"})
        self.assertEqual(status, 200)
        page = self.open(endpoint)
        expect(page.locator(".row .message").first).to_contain_text("<img src=x onerror=window.hacked=1>")
        expect(page.locator(".row .message").first).to_contain_text("␛[31mred")
        self.settled(page)
        folded = page.locator(".facet-head[aria-expanded='false']")
        # Each of the fields but level and label, and the source and the tag of the request.
        closed = len(self.HOSTILE) - 2 + 2
        expect(folded).to_have_count(closed)
        for left in reversed(range(closed)):
            folded.first.click()
            expect(folded).to_have_count(left)
        page.locator(".row").first.click()
        expect(page.locator(".record")).to_contain_text("<script>window.hacked=1</script>")
        expect(page.locator(".record")).to_contain_text("\\u{202e}")
        page.get_by_role("button", name="Show around").click()
        expect(page.locator(".neighbours li")).to_have_count(1)
        self.shot(page, "hostile")
        page.keyboard.press("2")
        expect(page.locator("#deliveries tbody tr")).to_have_count(1)
        self.expect_no_harm(page)
        page.goto(endpoint.address("?q=%3Cscript%3Ewindow.hacked%3D1%3C%2Fscript%3E%28&project=%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E"))
        expect(page.locator("#search-error")).to_be_visible()
        self.settled(page)
        self.expect_no_harm(page)

    def expect_no_harm(self, page):
        """No text has become part of the document, or has run."""
        expect(page.locator("main img, main script, main u, main svg[onload]")).to_have_count(0)
        expect(page.locator("main i:text-is('topic'), main b:text-is('error')")).to_have_count(0)
        self.assertIsNone(page.evaluate("window.hacked ?? null"))
        self.assertIsNone(page.evaluate("({}).polluted ?? null"))

    # Clear

    def test_clears_what_is_chosen(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "one", "level": "info"}, {"message": "two", "level": "error"})
        endpoint.post({"message": "other", "level": "info"}, logstore="other")
        page = self.open(endpoint, "?project=local&logstore=app&q=one")
        self.expect_messages(page, ["one"])
        small = self.open(endpoint, "?project=local", scheme="dark", width=480)
        small.get_by_role("button", name="Clear …").click()
        expect(small.locator("dialog#clearing")).to_contain_text("all 3 logs of project local")
        self.shot(small, "clear-ask-480")
        page.get_by_role("button", name="Clear …").click()
        dialog = page.locator("dialog#clearing")
        expect(dialog).to_contain_text("all 2 logs of logstore app in project local")
        expect(dialog).to_contain_text("The search and the time do not matter")
        self.shot(page, "clear-ask")
        page.get_by_role("button", name="Keep them").click()
        expect(dialog).to_be_hidden()
        self.assertEqual(endpoint.api("status")["logs"], 3)
        page.get_by_role("button", name="Clear …").click()
        page.get_by_role("button", name="Remove 2 logs").click()
        expect(page.locator("#notice")).to_contain_text("Removed 2 logs and 1 delivery of logstore app in project local.")
        expect(page.locator(".row")).to_have_count(0)
        self.shot(page, "cleared")
        endpoint.post({"message": "one more", "level": "info"})
        page.get_by_role("button", name="Search", exact=True).click()
        self.expect_messages(page, ["one more"])
        self.assertEqual([(place["logstore"], place["logs"]) for place in endpoint.api("status")["logstores"]], [("app", 1), ("other", 1)])
        page.get_by_role("button", name="Close").click()
        expect(page.locator("#notice")).to_be_hidden()

    def test_says_that_clearing_failed(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "one"})
        page = self.open(endpoint)
        self.expect_messages(page, ["one"])
        page.route("**/api/logs", lambda route: route.fulfill(status=503, content_type="application/json", body='{"error":{"message":"no room"}}'))
        page.get_by_role("button", name="Clear …").click()
        page.get_by_role("button", name="Remove 1 log").click()
        expect(page.locator("dialog#clearing .problem")).to_have_text("no room")
        page.keyboard.press("Escape")
        self.expect_messages(page, ["one"])

    def test_goes_on_live_after_clearing(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "one"})
        page = self.open(endpoint, "?live=1")
        self.expect_messages(page, ["one"])
        other = self.open(endpoint)
        other.get_by_role("button", name="Clear …").click()
        other.get_by_role("button", name="Remove 1 log").click()
        expect(other.locator("#notice")).to_contain_text("Removed 1 log")
        endpoint.post({"message": "two"})
        self.expect_messages(page, ["two", "one"])
        expect(other.locator(".row .message")).to_have_text(["two"])

    def test_says_that_logs_were_removed(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "one"}, {"message": "two"})
        page = self.open(endpoint)
        self.expect_messages(page, ["two", "one"])
        expect(page.locator("#connection")).to_have_text("2 logs")
        endpoint.clear()
        endpoint.post({"message": "three"})
        expect(page.locator("#fresh")).to_have_text("Logs were removed — ask again")
        page.locator("#fresh").click()
        self.expect_messages(page, ["three"])

    # A trace as a time line

    def traced(self, trace="4bf92f3577b34da6a3ce929d0e0e4736"):
        """An endpoint with a trace over three services, which call its id by several names, and other lines."""
        endpoint = self.endpoint("--any-project")
        start = time.time() - 60
        at = lambda offset, **fields: {"time": logs.iso(start + offset), "level": "info", **fields}
        endpoint.post(at(0, message="POST /orders", traceID=trace, spanID="00f067aa0ba902b7"), at(1.2, message="POST /orders answered 502", level="error", traceID=trace),
                      at(0.5, message="of another", traceID="0" * 32), topic="gateway", tags={"service": "gateway"})
        endpoint.post(at(0.02, message="order placed", traceID=trace, **{"request.id": "r-1"}), at(0.03, message="asks for payment", traceID=trace, **{"request.id": "r-1"}),
                      topic="orders", tags={"service": "orders"})
        endpoint.post(at(1.15, message="card declined", level="warning", **{"trace.id": trace}), logstore="payments", tags={"service": "payments"})
        return endpoint, trace

    def expect_trace(self, page):
        expect(page.locator("#trace .line .text")).to_contain_text(["POST /orders", "order placed", "asks for payment", "card declined", "POST /orders answered 502"])
        expect(page.locator("#trace .line")).to_have_count(5)

    def test_shows_a_trace_of_all_services_in_order(self):
        endpoint, trace = self.traced()
        page = self.open(endpoint, "?logstore=payments&q=declined", width=1280)
        self.expect_messages(page, ["card declined"])
        page.locator(".row").first.click()
        page.get_by_role("button", name="Time line").first.click()
        self.expect_trace(page)
        self.assertIn(f"trace=trace.id%3A{trace}", page.url)
        expect(page.locator("#trace [role=status]")).to_contain_text("5 lines of 3 services in 1.2 s")
        expect(page.locator("#trace .line .since")).to_have_text(["0", "+20 ms", "+30 ms", "+1,150 ms", "+1,200 ms"])
        expect(page.locator("#trace .line .service")).to_have_text(["gateway / app / gateway", "orders / app / orders", "orders / app / orders", "payments / payments", "gateway / app / gateway"])
        expect(page.locator("#trace .gap")).to_have_text(["1.1 s without a line 93 % of the whole"])
        expect(page.locator("#trace .lanes rect")).to_have_count(5)
        self.shot(page, "trace-light")
        # The link leads there, and a line opens.
        other = self.open(endpoint, page.url.split("/", 3)[3], scheme="dark", width=1280)
        self.expect_trace(other)
        other.locator("#trace .line").nth(1).click()
        expect(other.locator("#trace .record")).to_contain_text("request.id")
        self.shot(other, "trace-dark")
        other.locator("#trace .record tr", has_text="request.id").get_by_role("button", name="Time line").click()
        expect(other.locator("#trace .line")).to_have_count(2)
        other.go_back()
        self.expect_trace(other)
        other.get_by_role("button", name="Show as logs").click()
        expect(other.locator(".row")).to_have_count(5)

    def test_shows_a_trace_on_a_narrow_screen(self):
        endpoint, trace = self.traced()
        for scheme in ["light", "dark"]:
            page = self.open(endpoint, f"?view=trace&trace=traceID:{trace}", scheme=scheme, width=480)
            self.expect_trace(page)
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 480)
            self.assertLessEqual(page.evaluate("document.getElementById('trace').scrollWidth"), 480)
            self.shot(page, f"trace-{scheme}-480")

    def test_leads_from_a_trace_to_its_logs_whatever_was_asked_before(self):
        endpoint, trace = self.traced()
        query = f"?view=trace&trace=traceID:{trace}&logstore=payments&range=1h&q=declined+%7C+select+count%28%2A%29"
        page = self.open(endpoint, query)
        self.expect_trace(page)
        page.locator("#trace .line").first.click()
        page.get_by_role("button", name="All with this value of traceID").click()
        expect(page.locator(".row")).to_have_count(4)
        self.assertNotIn("logstore", page.url)
        page.go_back()
        self.expect_trace(page)
        page.locator("#trace .line").first.click()
        page.get_by_role("button", name="Show around").click()
        page.locator("#trace .neighbours button:enabled").first.click()
        expect(page.locator("#list .record")).to_be_visible()
        self.assertNotIn("select", page.url)
        page.go_back()
        self.expect_trace(page)
        page.locator("#trace .line").first.click()
        self.assertIn("q=declined&", self.copied(page.locator("#trace .record"), "Copy link"))

    def test_removes_a_trace(self):
        endpoint, trace = self.traced()
        page = self.open(endpoint, f"?view=trace&trace=traceID:{trace}")
        self.expect_trace(page)
        page.get_by_role("button", name="Clear …").click()
        page.get_by_role("button", name="Remove 6 logs").click()
        expect(page.locator("#trace")).to_contain_text("No log has this")

    def test_says_that_a_trace_is_not_here(self):
        endpoint, _ = self.traced()
        page = self.open(endpoint, "?view=trace&trace=traceID:missing")
        expect(page.locator("#trace")).to_contain_text("No log has this")
        page.goto(endpoint.address("?view=trace"))
        expect(page.locator("#trace")).to_contain_text("No trace is chosen")
        page.goto(endpoint.address("?view=trace&trace=traceID:%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E"))
        expect(page.locator("#trace")).to_contain_text("No log has this")
        self.expect_no_harm(page)

    # Deliveries: refused ones, and older ones

    def test_shows_refused_deliveries_and_older_ones(self):
        endpoint = self.endpoint("--logstore", "app")
        for number in range(205):
            self.assertEqual(endpoint.post({"message": str(number)}), 200)
        self.assertEqual(endpoint.post({"message": "x"}, logstore="nosuch"), 404)
        page = self.open(endpoint, "?view=deliveries", width=1280)
        rows = page.locator("#deliveries tbody tr")
        expect(rows).to_have_count(200)
        page.get_by_role("button", name="Show older ones").click()
        expect(rows).to_have_count(206)
        expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()
        # What comes goes on top, and nothing is lost between the newest and the older ones.
        self.assertEqual(endpoint.post({"message": "new"}), 200)
        expect(rows).to_have_count(207)
        page.get_by_label("Only what was not accepted").check()
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("404")
        self.assertIn("refused=1", page.url)
        self.shot(page, "deliveries-refused-1280")
        page.reload()
        expect(rows).to_have_count(1)
        expect(page.get_by_label("Only what was not accepted")).to_be_checked()
        page.go_back()
        expect(rows).to_have_count(200)
        page = self.open(endpoint, "?view=deliveries&refused=1&logstore=app", scheme="dark", width=480)
        expect(page.locator("#deliveries")).to_contain_text("Nothing was refused")
        self.shot(page, "deliveries-refused-480")

    def test_forgets_deliveries_that_were_removed(self):
        endpoint = self.endpoint()
        for number in range(205):
            self.assertEqual(endpoint.post({"message": str(number)}), 200)
        page = self.open(endpoint, "?view=deliveries")
        rows = page.locator("#deliveries tbody tr")
        expect(rows).to_have_count(200)
        page.get_by_role("button", name="Show older ones").click()
        expect(rows).to_have_count(205)
        endpoint.clear()
        self.assertEqual(endpoint.post({"message": "new"}), 200)
        expect(rows).to_have_count(1)
        # Another one with the same number.
        before = rows.text_content()
        endpoint.clear()
        self.assertEqual(endpoint.post({"message": "newer"}), 200)
        expect(rows).not_to_have_text(before)
        expect(rows).to_have_count(1)

    # Files, and searches of before

    def saved(self, page, button):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        return pathlib.Path(download.value.path()).read_bytes().decode(), download.value.suggested_filename

    def test_saves_what_is_found(self):
        page = self.open(self.shop, "?q=level%3A+info")
        expect(page.locator(".row").first).to_be_visible()
        self.settled(page)
        total = self.shop.api("overview?q=level%3A+info")["total"]
        text, name = self.saved(page, "NDJSON")
        found = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(len(found), total)
        self.assertRegex(name, r"^logs-\d{4}-.*\.ndjson$")
        # The same as the terminal prints, in the other order.
        printed = subprocess.run([TOOL, "query", "level: info", "--newest", "--url", self.shop.address()], capture_output=True, text=True, check=True)
        self.assertEqual({json.dumps(log, sort_keys=True) for log in found}, {json.dumps(log, sort_keys=True) for log in self.cut_times(printed.stdout, found)})
        endpoint = self.endpoint()
        endpoint.post({"message": 'a "quote", and\na line', "=x": "1", "__proto__": "p", "n": "-5.5"}, {"message": "second", "other": "ü", "n": "=1+1"})
        page = self.open(endpoint)
        expect(page.locator(".row")).to_have_count(2)
        text, name = self.saved(page, "CSV")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual([row["message"] for row in rows], ["second", 'a "quote", and\na line'])
        # No spreadsheet computes what a log says, and a number stays one.
        self.assertEqual([(row["'=x"], row["other"], row["n"]) for row in rows], [("", "ü", "'=1+1"), ("1", "", "-5.5")])
        self.assertEqual([row["__proto__"] for row in rows], ["", "p"])
        page.locator("#search").fill("| select message, count(*), count(*) group by message order by message desc")
        page.keyboard.press("Enter")
        expect(page.locator("#statistics tbody tr")).to_have_count(2)
        text, _ = self.saved(page, "NDJSON")
        self.assertEqual([json.loads(line) for line in text.splitlines()][0], {"message": "second", "count(*)": 1, "count(*)_": 1})

    def cut_times(self, printed, found):
        """The terminal has milliseconds of the receipt, the page microseconds."""
        logs = [json.loads(line) for line in printed.splitlines()]
        times = {(log["seq"], log["__source__"]): log["__receive_time__"] for log in found}
        for log in logs:
            log["__receive_time__"] = times[(log["seq"], log["__source__"])]
        return logs

    def test_offers_searches_of_before(self):
        page = self.open(self.shop, "?q=level%3A+info")
        self.settled(page)
        page.locator("#search").fill("level: error and (")
        page.keyboard.press("Enter")
        expect(page.locator("#search-error")).to_be_visible()
        page.locator("#search").fill("level: error")
        page.keyboard.press("Enter")
        options = "[...document.querySelectorAll('#history option')].map((option) => option.value)"
        expect(page.locator("#history option")).to_have_count(2)
        self.assertEqual(page.evaluate(options), ["level: error", "level: info"])
        page.evaluate("localStorage.setItem('webtracking.searches', '{broken')")
        page.reload()
        self.settled(page)
        self.assertEqual(page.evaluate(options), ["level: error"])

    def test_marks_what_was_found(self):
        endpoint = self.endpoint()
        endpoint.post({"message": "Payment failed: card declined, unpaid", "level": "error", "note": "time-out of card", "ms": "12"})
        marks = lambda page: page.locator(".row mark").all_text_contents()
        for q, expected in [
            ("fail* and card", ["failed", "card", "card"]), ("payment not cards", ["Payment"]), ('"time out" or nosuch', ["time-out"]),
            ("message: declined", ["declined"]), ("not (nosuch or other) and pay*", ["Payment"]), ("ms > 1 and level: error", []),
            ('note = "time-out of card"', ["time-out of card"]), ("card | select count(*)", []), ("", []),
        ]:
            page = self.open(endpoint, "?" + urllib.parse.urlencode({"q": q}))
            expect(page.locator(".row, #statistics td").first).to_be_visible()
            self.settled(page)
            self.assertEqual(marks(page), expected, q)
        page = self.open(endpoint, "?q=card", scheme="dark", width=1280)
        page.locator(".row").first.click()
        expect(page.locator(".record mark")).to_have_text(["card", "card"])
        self.shot(page, "marks-dark-1280")

    # Statistics

    def test_shows_statistics(self):
        page = self.open(self.shop, "?q=level%3A+info", width=1280)
        expect(page.locator(".row").first).to_be_visible()
        page.locator("#search").fill("level: info | select label, count(*) as n, approx_percentile(ms, 0.95) as p95 group by label order by n desc limit 5")
        page.keyboard.press("Enter")
        expect(page.locator("#statistics tbody tr")).to_have_count(5)
        self.settled(page)
        expect(page.locator("#statistics th")).to_have_text(["label", "n", "p95"])
        expect(page.locator(".row")).to_have_count(0)
        expect(page.locator("#statistics .chart-by-time")).to_have_count(0)
        expect(page.locator("#summary")).to_have_text(re.compile(r"^the first 5 rows of [\d,]+ logs; limit shows more$"))
        expect(page.locator("#live")).to_be_disabled()
        expected = self.shop.api("overview?q=level%3A+info")["labels"][:5]
        numbers = [int(text.replace(",", "")) for text in page.locator("#statistics td:nth-child(2)").all_text_contents()]
        self.assertEqual(numbers, [label["count"] for label in expected])
        self.shot(page, "statistics-1280")
        # A filter narrows the search; the statement stays.
        page.locator(".facet .pick", has_text="shop.http").click()
        expect(page).to_have_url(re.compile(r"q=level%3A\+info\+and\+label\+%3D\+%22shop.http%22\+%7C\+select"))
        expect(page.locator("#statistics tbody tr")).to_have_count(1)
        page.locator("#search").fill("level: info")
        page.keyboard.press("Enter")
        expect(page.locator(".row").first).to_be_visible()
        expect(page.locator("#statistics")).to_be_hidden()

    def test_shows_small_numbers(self):
        page = self.open(self.shop, "?q=%7C+select+0.0004+as+a%2C+-0.25+as+b%2C+1234.5678+as+c%2C+0+%2A+count%28%2A%29+as+d")
        expect(page.locator("#statistics td")).to_have_text(["0.0004", "-0.25", "1,234.568", "0"])

    def test_computes_what_python_computes(self):
        """`WEBTRACKING_STATEMENTS=10000` for more than these."""
        statements = int(os.environ.get("WEBTRACKING_STATEMENTS", "300"))
        rows, wrong = statistics_oracle.check(self.endpoint(), statements)
        print(f"statistics: {statements} statements, {rows} rows, {len(wrong)} differ")
        self.assertEqual(wrong[:3], [])
        # Not only of nothing.
        self.assertGreater(rows, statements)

    def test_draws_statistics_by_time(self):
        q = "%7C+select+date_trunc%28%27minute%27%2C+__time__%29+as+t%2C+level%2C+count%28%2A%29%2C+avg%28ms%29+group+by+t%2C+level+order+by+t+limit+1000"
        for scheme, width in [("light", 1280), ("dark", 1280), ("light", 480), ("dark", 480)]:
            page = self.open(self.shop, "?q=" + q, scheme=scheme, width=width)
            expect(page.locator("#statistics .chart-by-time")).to_have_count(2)
            expect(page.locator("#statistics .chart-by-time").first.locator("polyline")).to_have_count(6)
            expect(page.locator("#statistics .chart-by-time").first.locator("figcaption")).to_contain_text("and 1 more")
            self.settled(page)
            self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width)
            self.shot(page, f"statistics-time-{scheme}-{width}")

    def test_says_what_is_wrong_with_statistics(self):
        page = self.open(self.shop, "?q=level%3A+info+%7C+select+median%28ms%29")
        expect(page.locator("#search-error")).to_contain_text("there is no function median; there are abs, approx_distinct")
        expect(page.locator("#search-error b")).to_have_text(" " * 21 + "^" * 6)
        endpoint = self.endpoint()
        endpoint.post({"<b>x</b>": "<img src=x onerror=window.hacked=1>"})
        page = self.open(endpoint, "?q=%7C+select+%22%3Cb%3Ex%3C%2Fb%3E%22")
        expect(page.locator("#statistics td")).to_have_text("<img src=x onerror=window.hacked=1>")
        self.expect_no_harm(page)

    def test_wants_a_token_where_others_can_reach_it(self):
        endpoint = self.endpoint("--token-file", "token")
        token = (pathlib.Path(endpoint.folder.name) / "token").read_text().strip()
        endpoint.post({"message": "secret"})
        page = self.open(endpoint)
        expect(page.locator("dialog#sign-in")).to_be_visible()
        expect(page.locator(".row")).to_have_count(0)
        page.locator("#token").fill("not the token at all")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .problem")).to_contain_text("not the token")
        self.shot(page, "sign-in")
        page.locator("#token").fill(token)
        page.keyboard.press("Enter")
        expect(page.locator(".row .message").first).to_have_text("secret")
        self.assertNotIn(token, page.url)
        self.assertEqual(page.evaluate("document.cookie"), "")
        page.reload()
        expect(page.locator(".row .message").first).to_have_text("secret")


if __name__ == "__main__":
    SHOTS.mkdir(parents=True, exist_ok=True)
    result = unittest.main(verbosity=1, exit=False).result
    print(f"screenshots in {SHOTS}")
    sys.exit(0 if result.wasSuccessful() and result.testsRun > 0 else 1)
