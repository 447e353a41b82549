"""Where webhooks may go: nowhere inside, however it is written."""

from __future__ import annotations

import socket

import pytest

from glasshub.errors import Forbidden, Invalid
from glasshub.notices import sending
from glasshub.notices.addresses import check_url, is_public, places

INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",  # noqa: S104
    "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1", "2001:0:0:0:0:0:80ff:fffe", "4000::1", "",
    "not an address",
]  # fmt: skip
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_this_machine_and_its_network_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost:8000/x", "https://a.localhost/", "http://[::1]/", "http://10.0.0.8/",
        "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data", "http://0.0.0.0/",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_when_they_are_typed(url):
    with pytest.raises(Forbidden, match="webhooks_private_addresses"):
        check_url(url, private=False)
    assert check_url(url, private=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org/hook", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "http://",
        "http:///x", "https://ada:secret@example.org/", "https://@example.org/", "https://example.org/#x",
        "https://example.org/a b", "https://example.org/\r\nX: y", "https://example.org:99999/", "https://example.org:x/",
        "https://exämple.org/", "http://[::1/", "https://example.org/" + "x" * 1000,
    ],
)  # fmt: skip
def test_what_is_no_plain_http_address_is_refused(url):
    with pytest.raises(Invalid):
        check_url(url, private=True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "::1", "::ffff:7f00:1"]
)
def test_whatever_resolves_to_this_machine_is_not_called(host):
    with pytest.raises(OSError, match="no address that webhooks may call"):
        places(host, 80, private=False)


def test_a_private_name_and_one_that_does_not_exist_are_refused_alike():
    with pytest.raises(OSError, match="has no address that webhooks may call") as private:
        places("localhost", 80, private=False)
    with pytest.raises(OSError, match="has no address that webhooks may call") as missing:
        places("no-such-host.invalid", 80, private=False)
    assert str(private.value).split(" ", 1)[1] == str(missing.value).split(" ", 1)[1]


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch):
    """A name that first resolves to the internet and then to loopback: there is no second time.

    (No name server can be run here, so its answers are put in place of those of the system.)
    """
    asked, called = [], []

    def resolve(host, port, **_):
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(place, timeout):
        called.append(tuple(place))
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        sending.post("http://rebind.example.org/x", b"{}", {}, timeout=1, private=False)
    assert asked == ["rebind.example.org"]
    assert called == [("93.184.216.34", 80)]
