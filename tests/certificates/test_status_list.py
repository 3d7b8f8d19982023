"""Bits and lists of W3C Bitstring Status List v1.0, and what is refused of them."""

import base64
import gzip
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.certificates import status_list
from app.certificates.status_list import (
    LIST_LENGTH,
    MAX_BYTES,
    Purpose,
    StatusListErrorType,
    StatusListRejected,
    decode_bits,
    empty_bits,
    encode_bits,
    set_bit,
)

pytestmark = pytest.mark.pure

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
URL, DID = "https://mark.example/v1/status-lists/revocation-1", "did:web:mark.example"
KNOWN = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"  # all zero, from the standard


def packed(raw):
    return "u" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def refused(call, *arguments):
    with pytest.raises(StatusListRejected) as caught:
        call(*arguments)
    assert caught.value.data == {"error": caught.value.error_type.value}
    return caught.value.error_type


class TestBits:
    def test_index_nought_is_the_left_most(self):
        assert set_bit(empty_bits(), 0, value=True)[0] == 0b1000_0000
        assert set_bit(empty_bits(), 7, value=True)[0] == 0b0000_0001
        assert set_bit(empty_bits(), 8, value=True)[:2] == b"\x00\x80"
        assert set_bit(empty_bits(), LIST_LENGTH - 1, value=True)[-1] == 1

    @given(st.sets(st.integers(0, LIST_LENGTH - 1), max_size=20), st.integers(0, LIST_LENGTH - 1), st.booleans())
    def test_one_bit_and_no_other(self, indexes, index, value):
        bits = empty_bits()
        for each in indexes:
            bits = set_bit(bits, each, value=True)
        after = set_bit(bits, index, value=value)
        expected = indexes | {index} if value else indexes - {index}
        assert {i for i in indexes | {index} if status_list.is_set(after, i)} == expected
        assert sum(byte.bit_count() for byte in after) == len(expected)
        assert len(after) == len(bits)

    @pytest.mark.parametrize("index", [-1, LIST_LENGTH, 10**12])
    def test_no_such_place(self, index):
        assert refused(status_list.is_set, empty_bits(), index) is StatusListErrorType.RANGE
        with pytest.raises(StatusListRejected):
            set_bit(empty_bits(), index, value=True)


class TestEncoding:
    def test_the_known_answer(self):
        assert decode_bits(KNOWN) == empty_bits()
        assert len(encode_bits(empty_bits())) < 100

    @given(st.binary(max_size=300))
    def test_there_and_back(self, some):
        bits = some + empty_bits()
        assert decode_bits(encode_bits(bits)) == bits
        assert encode_bits(bits) == encode_bits(bits)

    def test_a_large_list_is_quick(self):
        bits = bytearray(2**20 // 8)
        for index in range(0, 2**20, 97):  # one in a hundred
            bits[index // 8] |= 0x80 >> index % 8
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            encode_bits(bytes(bits))
            times.append(time.perf_counter() - begun)
        assert min(times) < 0.03  # 4 ms here; the machine may be busy

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            (None, StatusListErrorType.MALFORMED),
            (7, StatusListErrorType.MALFORMED),
            ("", StatusListErrorType.MALFORMED),
            ("u", StatusListErrorType.MALFORMED),
            (KNOWN[1:], StatusListErrorType.MALFORMED),
            ("z" + KNOWN[1:], StatusListErrorType.MALFORMED),
            (KNOWN + "=", StatusListErrorType.MALFORMED),
            (KNOWN + "\n", StatusListErrorType.MALFORMED),
            ("uA", StatusListErrorType.MALFORMED),
            ("uAAAA", StatusListErrorType.MALFORMED),
            (KNOWN[:-8], StatusListErrorType.MALFORMED), ("u" + "A" * 9_000_000, StatusListErrorType.MALFORMED),
            (packed(gzip.compress(empty_bits(), mtime=0) + b"more"), StatusListErrorType.MALFORMED),
            (packed(gzip.compress(empty_bits(), mtime=0) * 2), StatusListErrorType.MALFORMED),
            (packed(gzip.compress(empty_bits()[1:], mtime=0)), StatusListErrorType.LENGTH),
            (packed(gzip.compress(b"", mtime=0)), StatusListErrorType.LENGTH),
            (packed(gzip.compress(bytes(MAX_BYTES + 1), mtime=0)), StatusListErrorType.LENGTH),
        ],
    )  # fmt: skip
    def test_what_is_refused(self, text, fault):
        assert refused(decode_bits, text) is fault

    def test_the_largest_is_taken(self):
        assert len(decode_bits(packed(gzip.compress(bytes(MAX_BYTES), mtime=0)))) == MAX_BYTES

    def test_a_bomb_does_not_go_off(self):
        bomb = packed(gzip.compress(bytes(100_000_000), 6, mtime=0))  # 100 kB that would be 100 MB
        begun = time.perf_counter()
        assert refused(decode_bits, bomb) is StatusListErrorType.LENGTH
        assert time.perf_counter() - begun < 1


class TestList:
    PAYLOAD = status_list.build_status_list_credential(
        URL, DID, Purpose.REVOCATION, set_bit(empty_bits(), 3, value=True), NOW
    )

    def test_as_a_credential(self):
        subject = self.PAYLOAD["credentialSubject"]
        assert self.PAYLOAD | {"credentialSubject": None} == {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": URL,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": DID,
            "validFrom": "2026-11-22T17:00:00Z",
            "validUntil": "2026-11-26T17:00:00Z",
            "credentialSubject": None,
        }
        assert subject["id"] == f"{URL}#list"
        assert subject["ttl"] == 30_000  # milliseconds
        assert (subject["type"], subject["statusPurpose"]) == ("BitstringStatusList", "revocation")

    def test_read_back(self):
        read = status_list.parse_status_list_credential(self.PAYLOAD)
        assert (read.url, read.issuer, read.purpose) == (URL, DID, Purpose.REVOCATION)
        assert status_list.is_set(read.bits, 3)
        assert (read.valid_from, read.valid_until) == (NOW, NOW + timedelta(days=4))

    def test_issuer_as_object_and_offsets(self):
        other = self.PAYLOAD | {"issuer": {"id": DID, "name": "x"}, "validFrom": "2026-11-22T21:00:00.5+04:00"}
        read = status_list.parse_status_list_credential(other)
        assert (read.issuer, read.valid_from.microsecond) == (DID, 500_000)
        assert read.valid_from == datetime(2026, 11, 22, 21, 0, 0, 500_000, timezone(timedelta(hours=4)))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"type": ["VerifiableCredential"]}, {"type": "BitstringStatusListCredential"}, {"type": None},
            {"type": [{}, "VerifiableCredential"]}, {"issuer": None}, {"issuer": {}}, {"issuer": [DID]}, {"id": None},
            {"credentialSubject": None}, {"credentialSubject": []},
            {"credentialSubject": {"type": "StatusList2021", "statusPurpose": "revocation"}},
            {"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": "refresh"}},
            {"credentialSubject": {"type": "BitstringStatusList", "statusPurpose": ["revocation"]}},
        ],
    )  # fmt: skip
    def test_not_a_list_of_ours(self, wrong):
        assert (
            refused(status_list.parse_status_list_credential, self.PAYLOAD | wrong) is StatusListErrorType.VERIFICATION
        )

    @pytest.mark.parametrize(
        "stamp",
        [None, 1, "", "2026-11-22", "2026-11-22T17:00:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+04:00",
         "20261122T170000Z", "2026-11-22T17:00:00Z\n", "2026-W47-7T17:00:00Z"],
    )  # fmt: skip
    @pytest.mark.parametrize("member", ["validFrom", "validUntil"])
    def test_without_a_sound_moment(self, member, stamp):
        assert (
            refused(status_list.parse_status_list_credential, self.PAYLOAD | {member: stamp})
            is StatusListErrorType.MALFORMED
        )

    @pytest.mark.parametrize(
        ("name", "wanted"),
        [("revocation-1", (1, Purpose.REVOCATION)), ("suspension-12", (12, Purpose.SUSPENSION)), ("revocation-0", None),
         ("revocation-01", None), ("revocation-", None), ("refresh-1", None), ("revocation-1\n", None), ("", None),
         ("revocation-١", None), ("revocation-1234567890", None)],
    )  # fmt: skip
    def test_names(self, name, wanted):
        assert status_list.parse_list_name(name) == wanted
        assert wanted is None or status_list.list_name(*wanted) == name


ENTRY = {
    "type": "BitstringStatusListEntry",
    "statusPurpose": "revocation",
    "statusListIndex": "4711",
    "statusListCredential": URL,
}


class TestEntry:
    def test_place(self):
        assert status_list.parse_status_entry(ENTRY, Purpose.REVOCATION) == (URL, 4711)
        assert status_list.parse_status_entry(ENTRY, Purpose.SUSPENSION) is None

    @pytest.mark.parametrize(
        "wrong",
        [{"type": "TokenStatusListEntry"}, {"statusListIndex": 4711}, {"statusListIndex": "04711"},
         {"statusListIndex": "-1"}, {"statusListIndex": "٤"}, {"statusListIndex": ""}, {"statusListCredential": None}],
    )  # fmt: skip
    def test_wrong_form(self, wrong):
        with pytest.raises(StatusListRejected):
            status_list.parse_status_entry(ENTRY | wrong, Purpose.REVOCATION)

    def test_no_entry_at_all(self):
        with pytest.raises(StatusListRejected):
            status_list.parse_status_entry("revocation", Purpose.REVOCATION)
