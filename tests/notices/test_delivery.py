"""Sending: signed, once, again when it fails, to nowhere inside, and never for ever. The receiver is a real server."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import re
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from glasshub import accounts, clock, repos
from glasshub.config import Settings
from glasshub.errors import Conflict
from glasshub.hub import open_hub
from glasshub.identity import Role
from glasshub.notices import delivery, sending, webhooks
from glasshub.registry import deliveries
from tests.notices.conftest import Place
from tests.notices.receiver import Receiver, answer, receiving
from tests.require import require

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def model(town: Place):
    return town.model("lab/m", card="# m")


def settle(town: Place, hook, seconds: float = 10.0) -> None:
    """Send until nothing waits any more."""
    town.be_impatient()
    deadline = time.monotonic() + seconds
    while any(one.state == "pending" for one in town.outbox(hook)):
        assert time.monotonic() < deadline, [(one.state, one.attempts, one.error) for one in town.outbox(hook)]
        town.send()
        time.sleep(0.01)


def test_a_delivery_is_signed_and_logged(town: Place, model, receiver: Receiver):
    hook = town.hook("model lab/m", url=f"{receiver.url}?from=hub", secret="s3cret")
    town.discuss(model, "Grüße an @ada")
    assert town.send() == 1
    (request,) = receiver.received
    assert request.path == "/hook?from=hub"
    assert request.headers["x-webhook-secret"] == "s3cret"
    assert request.headers["content-type"].startswith("application/json")
    assert request.headers["user-agent"].startswith("Glasshub/")
    timestamp = request.headers["x-glasshub-timestamp"]
    assert abs(int(timestamp) - time.time()) < 10
    digest = hmac.new(b"s3cret", f"{timestamp}.".encode() + request.body, hashlib.sha256).hexdigest()
    assert request.headers["x-glasshub-signature-256"] == f"sha256={digest}"
    assert request.payload["comment"]["content"] == "Grüße an @ada"
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.status, logged.attempts, logged.response_body) == ("delivered", 200, 1, "ok")
    assert request.headers["x-glasshub-delivery"] == logged.guid
    assert "s3cret" not in logged.request_headers
    assert logged.body.encode() == request.body


def test_the_check_that_the_docs_show_accepts_real_deliveries_and_no_others(town: Place, model, receiver: Receiver):
    town.hook("model lab/m", url=receiver.url, secret="s3cret")
    town.discuss(model)
    town.send()
    code = next(
        block for block in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S) if "def is_genuine" in block
    )
    scope: dict = {}
    exec(code, scope)  # noqa: S102 - that it runs is the point
    (request,) = receiver.received
    headers = {name.title(): value for name, value in request.headers.items()}
    assert scope["is_genuine"]("s3cret", headers, request.body)
    assert not scope["is_genuine"]("s3cret", headers, request.body + b" ")
    assert not scope["is_genuine"]("other", headers, request.body)
    assert not scope["is_genuine"]("s3cret", {**headers, "X-Glasshub-Timestamp": "1"}, request.body)


def test_without_a_secret_nothing_is_signed(town: Place, model, receiver: Receiver):
    town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    town.send()
    assert not {"x-webhook-secret", "x-glasshub-signature-256"} & receiver.received[0].headers.keys()


def test_what_fails_is_tried_again_later_and_later(town: Place, model, receiver: Receiver):
    receiver.answers[:] = [answer(500), answer(503), answer(404), answer()]
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    settle(town, hook)
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.attempts) == ("delivered", 4)
    assert len({request.headers["x-glasshub-delivery"] for request in receiver.received}) == 1
    times = [request.at for request in receiver.received]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] >= 0.007
    assert pauses[2] >= 0.12  # 0.01 s, then four times as long each time, a quarter less at most


def test_pauses_grow_and_differ(town: Place):
    hub = replace(town.hub, settings=Settings(data=town.hub.settings.data))
    for attempts, seconds in ((1, 15), (2, 60), (7, 15 * 4**6)):
        pauses = {delivery.pause(hub, attempts) for _ in range(50)}
        assert len(pauses) > 40
        assert 0.75 * seconds <= min(pauses) <= max(pauses) <= 1.25 * seconds


def test_what_never_works_is_given_up(town: Place, model, receiver: Receiver, monkeypatch):
    monkeypatch.setattr(delivery, "MOST_ATTEMPTS", 3)
    receiver.answers[:] = [answer(500)]
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    settle(town, hook)
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.attempts, logged.error) == ("failed", 3, "It answered 500.")
    assert len(receiver.received) == 3


def test_a_webhook_that_only_fails_is_disabled_and_one_success_forgives(town: Place, model, receiver, monkeypatch):
    monkeypatch.setattr(delivery, "MOST_ATTEMPTS", 1)
    monkeypatch.setattr(delivery, "GIVE_UP_AFTER", 3)
    receiver.answers[:] = [answer(500), answer(500), answer(), answer(500)]
    hook = town.hook("model lab/m", url=receiver.url)
    for _ in range(5):
        town.discuss(model)
        settle(town, hook)
    assert not webhooks.get(town.hub, town.actor(), hook.id).disabled
    town.discuss(model)
    settle(town, hook)
    now = webhooks.get(town.hub, town.actor(), hook.id)
    assert now.disabled
    assert "in a row failed" in now.disabled_because
    town.discuss(model)
    assert len(town.outbox(hook)) == 6
    again = webhooks.set_enabled(town.hub, town.actor(), hook.id, enabled=True)
    assert (again.disabled, again.disabled_because) == (False, "")


def test_redirects_are_not_followed(town: Place, model, receiver: Receiver):
    with receiving() as elsewhere:
        receiver.answers[:] = [answer(302, Location=elsewhere.url)]
        hook = town.hook("model lab/m", url=receiver.url)
        town.discuss(model)
        town.send()
        assert elsewhere.received == []
    assert "redirects are not followed" in town.outbox(hook)[0].error


def test_a_long_answer_is_cut_off_and_hostile_bytes_do_no_harm(town: Place, model, receiver: Receiver):
    body = b"<script>\0\xff" + b"x" * 5_000_000
    receiver.answers[:] = [answer(200, body, X_Long="y" * 5000)]
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    began = time.monotonic()
    town.send()
    assert time.monotonic() - began < 1
    (logged,) = town.outbox(hook)
    assert logged.state == "delivered"
    assert len(logged.response_body) <= sending.MAX_BODY
    assert "\0" not in logged.response_body
    assert max(len(value) for _, value in json.loads(logged.response_headers)) <= sending.MAX_HEADER


def drip(handler) -> None:
    """An answer that never ends, one byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    for _ in range(100):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def hang(handler) -> None:
    time.sleep(3)


@pytest.mark.parametrize("slow", [drip, hang])
def test_a_receiver_that_takes_for_ever_is_hung_up_on(town: Place, model, receiver: Receiver, slow):
    receiver.answers[:] = [slow, answer()]
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    began = time.monotonic()
    town.send()
    assert 0.9 < time.monotonic() - began < 2.5
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.error) == ("pending", "It did not answer in time.")


@pytest.mark.parametrize("noise", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x16\x03\x01" * 30])
def test_what_does_not_speak_http_is_a_failure(town: Place, model, noise):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(noise)

        thread = threading.Thread(target=talk)
        thread.start()
        hook = town.hook("model lab/m", url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        town.discuss(model)
        town.send()
        thread.join()
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.status) == ("pending", 0)
    assert logged.error


def test_loopback_is_called_only_if_an_admin_allows_it(town: Place, model, receiver: Receiver):
    hook = town.hook("model lab/m", url=receiver.url)
    other = town.hook("model lab/m", url=receiver.url.replace("127.0.0.1", "localhost"))
    town.discuss(model)
    closed = replace(town.hub, settings=replace(town.hub.settings, webhooks_private_addresses=False))
    for one in delivery.take(closed, 4):
        delivery.deliver(closed, one)
    assert receiver.received == []
    for found in (hook, other):
        assert "no address that webhooks may call" in town.outbox(found)[0].error


def test_tls_is_checked_against_the_name(town: Place, model, tmp_path: Path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        require("openssl"),
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate, *names], check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with receiving(tls=context) as receiver:
        by_name, by_number = (
            town.hook("model lab/m", url=f"https://{host}:{receiver.port}/hook") for host in ("localhost", "127.0.0.1")
        )
        town.discuss(model)
        town.send()
        assert "certificate verify failed" in town.outbox(by_name)[0].error  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        town.discuss(model)
        town.send()
        assert town.outbox(by_name)[1].state == "delivered"
        assert "IP address mismatch" in town.outbox(by_number)[1].error  # it is for another name
        assert len(receiver.received) == 1


def test_nobody_takes_what_somebody_is_sending(town: Place, model):
    hook, other = town.hook("model lab/m"), town.hook("model lab/m")
    for _ in range(3):
        town.discuss(model)
    second = open_hub(town.hub.settings)
    taken = delivery.take(town.hub, 4)
    assert [one.webhook for one in taken] == [hook.id, other.id]  # one of each webhook at a time
    assert delivery.take(second, 4) == []
    with town.hub.registry.write() as db:
        assert not deliveries.finish(db, taken[0].id, "somebody else's", state="delivered")
        assert deliveries.finish(db, taken[0].id, taken[0].lease, state="delivered")
    assert [one.webhook for one in delivery.take(second, 4)] == [hook.id]
    second.close()


def test_what_a_dead_sender_had_taken_is_taken_again_when_its_lease_ends(town: Place, model, receiver: Receiver):
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    (dead,) = delivery.take(town.hub, 4)
    assert town.send() == 0
    lapsed = clock.iso(datetime.now(UTC) - timedelta(seconds=1))
    with town.hub.registry.write() as db:
        db.execute(deliveries.deliveries.update().values(lease_until=lapsed))
    assert town.send() == 1
    delivery.deliver(town.hub, dead)  # it was not dead, only slow: what it writes down comes too late
    (logged,) = town.outbox(hook)
    assert (logged.state, logged.attempts) == ("delivered", 2)
    assert {request.headers["x-glasshub-delivery"] for request in receiver.received} == {logged.guid}


def test_access_is_looked_at_again_when_it_is_sent(town: Place, model, receiver: Receiver):
    hook = town.hook("model lab/m", user="rita", url=receiver.url)
    town.discuss(model, "Before.")
    repos.configure(town.hub, town.actor(), model, private=True)
    accounts.set_member(town.hub, town.actor(), "lab", "rita", Role.NONE)
    town.send()
    assert receiver.received == []
    assert {one.state for one in town.outbox(hook)} == {"dropped"}
    again = town.outbox(hook)[0]
    webhooks.redeliver(town.hub, town.actor("rita"), hook.id, again.id)
    town.send()
    assert receiver.received == []


def test_a_delivery_is_sent_again_on_request(town: Place, model, receiver: Receiver):
    hook = town.hook("model lab/m", url=receiver.url)
    town.discuss(model)
    with pytest.raises(Conflict, match="still to be sent"):
        webhooks.redeliver(town.hub, town.actor(), hook.id, town.outbox(hook)[0].id)
    town.send()
    webhooks.redeliver(town.hub, town.actor(), hook.id, town.outbox(hook)[0].id)
    town.send()
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["x-glasshub-delivery"] == second.headers["x-glasshub-delivery"]
    webhooks.set_enabled(town.hub, town.actor(), hook.id, enabled=False)
    with pytest.raises(Conflict, match="disabled"):
        webhooks.redeliver(town.hub, town.actor(), hook.id, town.outbox(hook)[0].id)


def test_the_log_is_kept_short(town: Place, model, receiver: Receiver, monkeypatch):
    monkeypatch.setattr(delivery, "KEPT", 2)
    hook = town.hook("model lab/m", url=receiver.url)
    for _ in range(4):
        town.discuss(model)
    town.send()
    newest = [one.id for one in town.outbox(hook)][-2:]
    assert delivery.prune(town.hub) == 2
    assert [one.id for one in town.outbox(hook)] == newest
    old = clock.iso(datetime.now(UTC) - timedelta(days=15))
    with town.hub.registry.write() as db:
        db.execute(deliveries.deliveries.update().values(created_at=old))
    assert delivery.prune(town.hub) == 2
