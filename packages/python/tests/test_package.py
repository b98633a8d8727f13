"""The installed package against a simulated account. Nothing of the repository is needed but the simulator."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import traceback
import types as python_types
import typing
import unittest
from typing import Any, Literal, Union

import freshworks_handoff
from freshworks_handoff import (
    AsyncConnector,
    CallReport,
    Connector,
    HandoffError,
    Limits,
    errors,
    peek,
    text_message,
    types,
)
from support import Receiver, Simulator, request

SECOND = 1_000


def assert_conforms(value: Any, wanted: Any, path: str = "answer") -> None:
    """Holds a value against its declared type: every name, and nothing else."""
    origin = typing.get_origin(wanted)
    if typing.is_typeddict(wanted):
        hints = typing.get_type_hints(wanted)
        assert isinstance(value, dict) and value.keys() == hints.keys(), f"{path}: {value.keys()} {hints.keys()}"
        for name, hint in hints.items():
            assert_conforms(value[name], hint, f"{path}.{name}")
    elif origin in (Union, python_types.UnionType):
        one, none = typing.get_args(wanted)
        assert none is type(None)
        if value is not None:
            assert_conforms(value, one, path)
    elif origin is Literal:
        assert value in typing.get_args(wanted), f"{path}: {value}"
    elif origin is list:
        assert isinstance(value, list), path
        for index, item in enumerate(value):
            assert_conforms(item, typing.get_args(wanted)[0], f"{path}[{index}]")
    elif origin is tuple:
        assert isinstance(value, tuple) and len(value) == len(typing.get_args(wanted)), path
    else:
        plain = origin or wanted
        assert isinstance(value, plain) and (plain is bool or not isinstance(value, bool)), f"{path}: {value!r} {plain}"


class WithAccount(unittest.TestCase):
    simulator: Simulator
    receiver: Receiver

    @classmethod
    def setUpClass(cls) -> None:
        cls.receiver = Receiver()
        cls.addClassCleanup(cls.receiver.close)
        cls.simulator = Simulator(cls.receiver.url)
        cls.addClassCleanup(cls.simulator.close)

    def setUp(self) -> None:
        self.addCleanup(self.simulator.clear_faults)

    def connector(self, **more: Any) -> Connector:
        # A fault is to be seen, not repeated away.
        settings = {**self.simulator.ticket_settings, "retry_budget_ms": 0, **more.pop("settings", {})}
        internal = [self.simulator.origin, self.simulator.ticket_origin]
        return Connector(settings, allow_internal=internal, **more)


class TheWholeJob(WithAccount):
    def test_every_answer_is_what_its_type_says(self) -> None:
        connector = self.connector()
        assert_conforms(freshworks_handoff.describe(), types.Descriptor)
        connection = connector.connect()
        self.assertTrue(connection["connected"], connection["findings"])
        assert_conforms(connection, types.Connection)
        assert_conforms(connector.preview(request("typed")), types.Plan)
        receipt = connector.handoff(request("typed"))
        assert_conforms(receipt, types.Receipt)
        conversation = receipt["info"]["conversation_ids"][0]
        self.simulator.reply(conversation, "What is your name?")
        webhook = self.receiver.holding("What is your name?")
        self.assertEqual(peek(webhook.body), receipt["info"]["conversation_ids"])
        update = connector.on_webhook(webhook.headers, webhook.body, receipt["session"])
        assert_conforms(update, types.Update)
        self.assertEqual([event["kind"] for event in update["events"]], ["agent-message"])
        session = update["session"]
        assert session
        update = connector.relay(session, text_message("1", "Ana."))
        assert update["session"]
        self.assertIn("Ana.", self.simulator.texts(conversation)[-1])
        message = update["session"]
        update = connector.undelivered(message, "message-1")
        assert update["session"]
        update = connector.tick(update["session"])
        assert update["session"]
        update = connector.close(update["session"], "user-left")
        assert_conforms(update, types.Update)
        self.assertEqual([event["kind"] for event in update["events"]], ["returned-to-ai"])
        assert update["session"]
        assert_conforms(connector.rate(update["session"], {"id": "r1", "score": 5}), types.Update)
        assert_conforms(connector.erase("typed"), types.Erasure)

    def test_the_published_example_runs_the_whole_job(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        simulator = Simulator(f"http://127.0.0.1:{port}/")
        self.addCleanup(simulator.close)
        account = simulator.settings
        arguments = [account["test_origin"], str(port), account["api_key"], account["webhook_public_key"]]
        example = subprocess.Popen(
            [sys.executable, "handoff.py", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            conversation = None
            while conversation is None:
                self.assertIsNone(example.poll(), "the example has ended")
                conversation = next((it["id"] for it in simulator.state()["conversations"]), None)
                time.sleep(0.05)
            simulator.reply(conversation, "Hello Ana, it arrives today.")
            assert example.stdout
            self.assertEqual(example.stdout.readline(), "human agent: Hello Ana, it arrives today.\n")
            while next(it for it in simulator.state()["conversations"])["status"] != "resolved":
                self.assertIsNone(example.poll(), "the example has ended")
                time.sleep(0.05)
            self.assertIn("Thank you, that is all.", " ".join(simulator.texts(conversation)))
        finally:
            example.terminate()
            example.wait()
            if example.stdout:
                example.stdout.close()

    def test_settings_that_connect_gave_back_go_on_after_a_restart(self) -> None:
        connection = self.connector().connect()
        stored = json.dumps(connection["settings"])
        self.assertIn(self.simulator.settings["api_key"], stored, "they are whole")
        seen: list[CallReport] = []
        again = self.connector(settings=json.loads(stored), on_report=lambda _, report: seen.append(report))
        again.handoff(request("restarted"))
        # A plain handoff of somebody new, without an address that could be looked up.
        self.assertEqual(len(seen[0]["http"]), 3)

    def test_headers_may_come_from_any_framework(self) -> None:
        connector = self.connector()
        receipt = connector.handoff(request("headers"))
        self.simulator.reply(receipt["info"]["conversation_ids"][0], "From any framework")
        webhook = self.receiver.holding("From any framework")
        asgi = [(name.lower().encode(), value.encode()) for name, value in webhook.headers]
        for headers in (webhook.headers, dict(webhook.headers), asgi):
            update = connector.on_webhook(headers, webhook.body, receipt["session"])
            self.assertEqual(update["events"][0]["kind"], "agent-message")


class Failures(WithAccount):
    def caught(self, kind: type[HandoffError], call: Any) -> Any:
        with self.assertRaises(kind) as raised:
            call()
        error = raised.exception
        self.assertIs(type(error), kind)
        self.assertTrue(str(error).startswith(error.kind), error)
        self.assertEqual(str(error).count("\n"), 0)
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))
        self.assertEqual(pickle.loads(pickle.dumps(error)).__dict__, error.__dict__)
        return error

    def test_every_kind_of_the_contract_is_an_exception_of_its_own(self) -> None:
        self.assertEqual(set(errors.BY_KIND), set(typing.get_args(types.ErrorKind)))
        connector = self.connector()
        for kind, made in errors.BY_KIND.items():
            self.assertEqual(made.kind, kind)
            details = {"kind": kind, "message": "It failed", "retry_after_ms": 5, "session": "s", "field": "f", "remedy": "Do it."}
            error = self.caught(made, lambda: connector._core.read("tick", json.dumps({"error": details})))
            self.assertEqual((error.retry_after_ms, error.session, error.field, error.remedy), (5, "s", "f", "Do it."))

    def test_settings_that_cannot_be_right_are_refused_by_name(self) -> None:
        error = self.caught(freshworks_handoff.InvalidSettings, lambda: Connector({}))
        self.assertEqual(error.field, "settings.chat_url")
        error = self.caught(freshworks_handoff.InvalidSettings, lambda: Connector({"chat_url": "acme"}))
        self.assertEqual(error.field, "settings.api_key")
        error = self.caught(freshworks_handoff.InvalidSettings, lambda: Connector({"chat_url": {1, 2}}))
        self.assertEqual(error.field, "settings.chat_url")

    def test_arguments_that_cannot_be_right_are_refused_by_path(self) -> None:
        connector = self.connector()
        wrongs: list[tuple[dict[str, Any], str]] = [
            ({"mode": "alive"}, "request.mode"),
            ({"user": {"name": "Ana"}}, "request.user.id"),
            ({"prioritty": "high"}, "request.prioritty"),
            ({"summary": b"bytes"}, "request.summary"),
            ({"history": [{"id": "1", "sent_at": object()}]}, "request.history[0].sent_at"),
        ]
        for wrong, field in wrongs:
            error = self.caught(freshworks_handoff.InvalidRequest, lambda: connector.handoff(request("wrong", **wrong)))
            self.assertEqual(error.field, field)
            self.assertTrue(error.remedy)
        for now in (time.time(), -1, True, "soon", 1 << 64):
            with self.subTest(now=now):
                wrong_now: Any = now
                error = self.caught(
                    freshworks_handoff.InvalidRequest, lambda: connector.handoff(request("wrong"), now=wrong_now)
                )
                self.assertEqual(error.field, "now")
        error = self.caught(
            freshworks_handoff.InvalidRequest, lambda: connector.handoff(request("wrong"), now=int(time.time()))
        )
        self.assertEqual(error.field, "now")
        self.assertIn("milliseconds", error.remedy)
        wrong_session: Any = b"session"
        error = self.caught(freshworks_handoff.InvalidRequest, lambda: connector.tick(wrong_session))
        self.assertEqual(error.field, "session")
        self.caught(freshworks_handoff.InvalidRequest, lambda: connector.tick("no session of ours"))
        wrong_body: Any = "text"
        self.caught(freshworks_handoff.InvalidRequest, lambda: peek(wrong_body))

    def test_a_wrong_key_is_unauthorized(self) -> None:
        connector = self.connector(settings={"api_key": "wrong-key"})
        self.caught(freshworks_handoff.Unauthorized, lambda: connector.handoff(request("unauthorized")))

    def test_an_unknown_topic_is_not_found(self) -> None:
        connector = self.connector(settings={"topics": ["Nowhere"]})
        error = self.caught(freshworks_handoff.NotFound, lambda: connector.handoff(request("not-found")))
        self.assertEqual(error.field, "settings.topics")

    def test_a_rate_limit_says_how_long_to_wait(self) -> None:
        connector = self.connector()
        self.simulator.fault("rate-limit")
        error = self.caught(freshworks_handoff.RateLimited, lambda: connector.handoff(request("rate-limited")))
        self.assertGreaterEqual(error.retry_after_ms, 1 * SECOND)

    def test_an_outage_is_unavailable(self) -> None:
        connector = self.connector()
        self.simulator.fault("down")
        self.caught(freshworks_handoff.Unavailable, lambda: connector.handoff(request("unavailable")))

    def test_after_a_lost_answer_the_session_of_the_error_goes_on_and_nothing_is_doubled(self) -> None:
        connector = self.connector()
        connector.connect()
        self.simulator.fault("lost-answer")
        lost = request("lost")
        error = self.caught(freshworks_handoff.OutcomeUnknown, lambda: connector.handoff(lost))
        self.assertTrue(error.session)
        self.assertGreater(error.retry_after_ms, 0)
        receipt = connector.handoff(lost, error.session)
        self.assertEqual(receipt["info"]["state"], "queued")
        self.assertEqual(self.simulator.conversations_of("lost"), 1)

    def test_a_ticket_without_an_address_needs_one(self) -> None:
        self.caught(freshworks_handoff.NeedsEmail, lambda: self.connector().handoff(request("no-address", mode="ticket")))

    def test_a_body_that_was_changed_has_no_valid_signature(self) -> None:
        connector = self.connector()
        receipt = connector.handoff(request("signature"))
        self.simulator.reply(receipt["info"]["conversation_ids"][0], "Signed")
        webhook = self.receiver.holding("Signed")
        self.caught(freshworks_handoff.InvalidSignature, lambda: connector.on_webhook(webhook.headers, webhook.body + b" "))
        self.caught(freshworks_handoff.InvalidSignature, lambda: connector.on_webhook({}, webhook.body))

    def test_a_time_limit_is_a_trap_and_the_retry_doubles_nothing(self) -> None:
        slow = self.connector(limits=Limits(wall_seconds=1))
        self.simulator.fault("slow", 10)
        error = self.caught(freshworks_handoff.Trap, lambda: slow.handoff(request("slow")))
        self.assertEqual((error.cause, error.session), ("timeout", None))
        self.simulator.clear_faults()
        self.connector().handoff(request("slow", retry=True))
        self.assertEqual(self.simulator.conversations_of("slow"), 1)

    def test_what_the_host_cannot_do_is_an_error_of_the_same_family(self) -> None:
        connector = self.connector()
        self.caught(freshworks_handoff.HostFailed, lambda: connector._core.read("tick", '{"host": "no slot"}'))


class Fences(WithAccount):
    def test_settings_do_not_lead_into_the_operators_network(self) -> None:
        with self.assertRaises(freshworks_handoff.InvalidSettings) as raised:
            Connector(self.simulator.settings)
        self.assertIn(self.simulator.origin, str(raised.exception))
        self.assertIn("allow_internal", str(raised.exception.remedy))

    def test_only_origins_are_allowed(self) -> None:
        for name, origins in (("allow", ["https://*.com"]), ("allow_internal", ["http://10.0.0.1"]), ("allow", ["https://a.example/x"])):
            with self.assertRaises(freshworks_handoff.InvalidRequest) as raised:
                Connector(self.simulator.settings, **{name: origins})  # type: ignore[arg-type]
            self.assertEqual(raised.exception.field, name)

    def test_a_file_on_a_host_that_is_not_allowed_is_not_fetched(self) -> None:
        fetched = Receiver()
        self.addCleanup(fetched.close)
        connector = self.connector()
        receipt = connector.handoff(request("blocked"))
        message = text_message("1", "See the picture")
        message["parts"].append({"kind": "image", "url": f"{fetched.url}picture.png", "name": "picture.png"})
        update = connector.relay(receipt["session"], message)
        self.assertTrue(update["session"])
        self.assertTrue(fetched.arrived.empty())

    def test_the_key_does_not_enter_the_sandbox_and_reaches_freshworks_all_the_same(self) -> None:
        connector = self.connector()
        self.assertTrue(connector.connect()["connected"])
        for key in ("api_key", "ticket_api_key"):
            self.assertNotIn(self.simulator.ticket_settings[key], connector._core._passed or "")
        inside = self.connector(host_credentials=False)
        self.assertIn(self.simulator.settings["api_key"], inside._core._passed or "")
        self.assertTrue(inside.connect()["connected"])

    def test_no_secret_is_printed(self) -> None:
        secrets = [self.simulator.ticket_settings[name] for name in ("api_key", "ticket_api_key")] + ["wrong-s3cret"]
        printed = io.StringIO()
        handler = logging.StreamHandler(printed)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            connector = self.connector()
            connection = connector.connect()
            for value in (connector, connection, connection["settings"], copy.copy(connection["settings"]), connector.settings):
                print(repr(value), str(value), file=printed)
            secret = secrets[-1]
            wrong = self.connector(settings={"api_key": secret})
            for call in (
                lambda: wrong.handoff(request("printed")),
                lambda: Connector({"chat_url": {1}, "api_key": secret}),
                lambda: Connector({"chat_url": "acme", "api_key": secret + "\n"}),
                lambda: Connector({**self.simulator.settings, "api_key": secret}),
            ):
                try:
                    call()
                    self.fail("it must fail")
                except HandoffError as error:
                    print(repr(error), error, error.__dict__, traceback.format_exc(), file=printed)
        finally:
            root.removeHandler(handler)
            root.setLevel(level)
        text = printed.getvalue()
        self.assertIn("[redacted]", text)
        self.assertRegex(text, r"connect: ok, [0-9.]+ ms, \d+ requests")
        for secret in secrets:
            self.assertNotIn(secret, text)

    def test_a_body_of_256_kib_is_read_and_a_longer_one_does_not_enter_the_sandbox(self) -> None:
        connector = self.connector()
        for length, refused in ((256 << 10, False), ((256 << 10) + 1, True)):
            body = b'{"data": "' + b"x" * (length - 12) + b'"}'
            self.assertEqual(len(body), length)
            if refused:
                for call in (lambda: peek(body), lambda: connector.on_webhook({}, body)):
                    with self.assertRaises(freshworks_handoff.InvalidRequest) as raised:
                        call()
                    self.assertIn("413", raised.exception.remedy or "")
            else:
                self.assertEqual(peek(body), [])
                self.assertRaises(freshworks_handoff.InvalidSignature, connector.on_webhook, {}, body)

    def test_a_body_that_is_not_utf_8_is_not_the_vendors(self) -> None:
        for call in (lambda: peek(b"\xff"), lambda: self.connector().on_webhook({}, b"\xff")):
            with self.assertRaises(freshworks_handoff.InvalidRequest) as raised:
                call()
            self.assertIn("400", raised.exception.remedy or "")

    def test_only_bytes_are_a_body(self) -> None:
        wrong: list[Any] = [1 << 40, "{}", [123, 125], None]
        for body in wrong:
            with self.assertRaises(freshworks_handoff.InvalidRequest) as raised:
                peek(body)
            self.assertEqual(raised.exception.field, "body")
        right: list[Any] = [b"{}", bytearray(b"{}"), memoryview(b"{}")]
        self.assertEqual([peek(body) for body in right], [[], [], []])

    def test_half_an_emoji_does_not_stop_a_message(self) -> None:
        connector = self.connector()
        receipt = connector.handoff(request("half", summary="Cut \ud83d"))
        connector.relay(receipt["session"], text_message("1", "Cut as well \ud83d"))
        self.assertIn("Cut as well \ufffd", self.simulator.texts(receipt["info"]["conversation_ids"][0]))

    def test_an_observer_that_fails_loses_no_answer(self) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError("the metrics are away")

        connector = self.connector(on_report=broken)
        with self.assertLogs("freshworks_handoff", "ERROR") as logged:
            receipt = connector.handoff(request("observed"))
        self.assertTrue(receipt["session"])
        self.assertIn("handoff: on_report has failed", logged.output[0])

    def test_copies_of_settings_print_no_secret_either(self) -> None:
        settings = freshworks_handoff.Settings({"chat_url": "acme.freshchat.com", "api_key": "s3cret"})
        for again in (settings.copy(), settings | {"group": "g"}, {"group": "g"} | settings, copy.copy(settings), copy.deepcopy(settings)):
            self.assertNotIn("s3cret", repr(again))
            self.assertEqual(again["api_key"], "s3cret")

    def test_the_clock_is_the_embedders_where_there_is_one(self) -> None:
        # A time that the connector surely writes into its answer: a conversation that waits is looked at after it.
        connector = self.connector(settings={"queue_timeout_minutes": 60}, clock=lambda: 1_900_000_000_000)
        receipt = connector.handoff(request("clock"))
        self.assertGreater(receipt["info"]["next_tick_at"] or 0, 1_900_000_000_000)
        receipt = connector.handoff(request("own-time"), now=1_800_000_000_000)
        self.assertLess(receipt["info"]["next_tick_at"] or 0, 1_900_000_000_000)


class Concurrency(WithAccount):
    def asynchronous(self, **more: Any) -> AsyncConnector:
        return AsyncConnector(self.simulator.settings, allow_internal=[self.simulator.origin], **more)

    def test_a_slow_answer_does_not_block_the_event_loop(self) -> None:
        async def run() -> tuple[float, float]:
            connector = self.asynchronous()
            await connector.connect()
            self.simulator.fault("slow")
            longest, last, started = 0.0, time.perf_counter(), time.perf_counter()
            call = asyncio.ensure_future(connector.handoff(request("not-blocked")))
            while not call.done():
                await asyncio.sleep(0.01)
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
            await call
            return longest, time.perf_counter() - started

        longest, whole = asyncio.run(run())
        self.assertGreater(whole, 2.9, "the answer was slow")
        self.assertLess(longest, 2.0)

    def test_a_hundred_calls_at_once_are_a_hundred_conversations(self) -> None:
        async def run() -> list[types.Receipt]:
            connector = self.asynchronous()
            await connector.connect()
            return await asyncio.gather(*(connector.handoff(request(f"one-of-many-{number}")) for number in range(100)))

        receipts = asyncio.run(run())
        self.assertEqual(len({receipt["external_case"]["case_id"] for receipt in receipts}), 100)

    def test_other_threads_go_on_during_a_call(self) -> None:
        connector = self.connector()
        connector.connect()
        self.simulator.fault("slow")
        call = threading.Thread(target=lambda: connector.handoff(request("thread")))
        call.start()
        turns = 0
        while call.is_alive():
            time.sleep(0.01)
            turns += 1
        self.assertGreater(turns, 20)

    def test_a_cancelled_call_ends_and_its_retry_doubles_nothing(self) -> None:
        async def run() -> types.Receipt:
            connector = self.asynchronous()
            await connector.connect()
            self.simulator.fault("slow", 10)
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(connector.handoff(request("cancelled")), 0.5)
            self.simulator.clear_faults()
            return await connector.handoff(request("cancelled", retry=True))

        self.assertEqual(asyncio.run(run())["info"]["state"], "queued")
        self.assertEqual(self.simulator.conversations_of("cancelled"), 1)

    def test_settings_that_cannot_be_right_are_refused_at_the_first_call(self) -> None:
        with self.assertRaises(freshworks_handoff.InvalidSettings):
            asyncio.run(AsyncConnector({}).connect())


class Processes(WithAccount):
    def run_script(self, script: str, **more: Any) -> subprocess.Popen[str]:
        script = f"""
import json, os, signal, sys
from freshworks_handoff import Connector
settings = json.loads(os.environ["SETTINGS"])
connector = Connector(settings, allow_internal=[settings["test_origin"]])
{textwrap.dedent(script)}
"""
        environment = {**os.environ, "SETTINGS": json.dumps(self.simulator.settings)}
        return subprocess.Popen(
            [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
        )

    @unittest.skipUnless(hasattr(os, "fork"), "this system has no fork")
    def test_a_connector_works_in_a_child_after_fork(self) -> None:
        child = self.run_script(
            """
            assert connector.connect()["connected"]
            child = os.fork()
            connected = connector.connect()["connected"]
            if child:
                _, status = os.waitpid(child, 0)
                print(connected, os.waitstatus_to_exitcode(status))
            else:
                sys.exit(0 if connected else 1)
            """
        )
        said, wrong = child.communicate(timeout=60)
        self.assertEqual((said, child.returncode), ("True 0\n", 0), wrong)

    def test_ctrl_c_ends_a_call(self) -> None:
        child = self.run_script(
            """
            # Whoever started the tests may have it ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            connector.connect()
            print("ready", flush=True)
            sys.stdin.readline()
            try:
                connector.connect()
            except KeyboardInterrupt:
                print("interrupted")
            """,
            stdin=subprocess.PIPE,
        )
        assert child.stdout and child.stdin
        self.assertEqual(child.stdout.readline(), "ready\n")
        self.simulator.fault("slow", 10)
        waiting = self.simulator.state()["faults"]
        child.stdin.write("go\n")
        child.stdin.flush()
        while self.simulator.state()["faults"] == waiting:
            time.sleep(0.02)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        said, wrong = child.communicate(timeout=30)
        self.assertEqual(said, "interrupted\n", wrong)
        self.assertLess(time.monotonic() - started, 2.5, "it did not wait for the answer")

    def test_a_process_ends_while_calls_are_under_way(self) -> None:
        child = self.run_script(
            """
            import asyncio
            from freshworks_handoff import AsyncConnector
            async def main():
                other = AsyncConnector(settings, allow_internal=[settings["test_origin"]])
                calls = [asyncio.ensure_future(other.connect()) for _ in range(20)]
                await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
                print("ending", flush=True)
                os.environ.get("NOTHING")
            asyncio.run(main())
            """
        )
        said, wrong = child.communicate(timeout=60)
        self.assertEqual((said, child.returncode), ("ending\n", 0), wrong)

    def test_a_compiled_plugin_is_kept_for_the_next_process(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            script = "import sys, freshworks_handoff as f; f.load(cache=sys.argv[1]); print(f.describe()['name'])"
            for _ in range(2):
                done = subprocess.run(
                    [sys.executable, "-c", script, f"{folder}/compiled"], capture_output=True, text=True, timeout=60
                )
                self.assertEqual(done.stdout, "freshworks\n", done.stderr)
            self.assertEqual(len(os.listdir(f"{folder}/compiled")), 1)


if __name__ == "__main__":
    unittest.main()
