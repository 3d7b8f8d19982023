"""One issued certificate, its keys, and a desk over a register in memory."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from starlette.testclient import TestClient

from app.core.crypto.keyring import KeyRing
from tests.verification.factories import (
    NOW,
    MemoryStore,
    content_of,
    desk_of,
    record_of,
    ring_of,
    service_of,
    signer_of,
    token_of,
)


@pytest.fixture(scope="session")
def signer():
    return signer_of(0xC0FFEE)


@pytest.fixture(scope="session")
def content():
    return content_of()


@pytest.fixture(scope="session")
def token(signer, content):
    return token_of(signer, content)


@pytest.fixture(scope="session")
def record(content, token, signer):
    return record_of(content, token, signer)


@pytest.fixture
def store(record):
    store = MemoryStore()
    store.put(record)
    return store


@dataclass
class TimeAndKeys:
    """The time and the keys, which a test may change."""

    now: datetime
    ring: KeyRing


@pytest.fixture
def time_and_keys(signer):
    return TimeAndKeys(NOW, ring_of(signer))


@pytest.fixture
def desk(store, time_and_keys):
    return desk_of(store, lambda: time_and_keys.ring, lambda: time_and_keys.now)


@pytest.fixture
def client(desk):
    with TestClient(service_of(desk)) as client:
        yield client
