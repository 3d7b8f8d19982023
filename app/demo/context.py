"""Share sample files, signed-in staff and progress output between the steps of the demo."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import files

import httpx2 as httpx

from app.demo import scenario_data
from app.demo.api_client import AnonymousClient, Json, UserClient
from app.demo.sample_products import OWN_ROWS

Row = Mapping[str, str]
PasswordFor = Callable[[str], str]
"""E-mail → password; stored before it is used, so that no account is created whose password is lost."""
CodesFor = Callable[[str], Iterator[str]]
"""E-mail → authenticator codes, each valid once; may wait for the next one. None for members of companies."""


ConfirmerFor = Callable[[str], Callable[[Json], str] | None]
"""E-mail → what signs a decision with the key of this member of staff; None for members of companies."""
MailedCodeFor = Callable[[str], str]
"""E-mail → the newest one-time code in its mail; waits for the message."""


@dataclass
class DemoContext:
    http: httpx.Client
    password_for: PasswordFor
    codes_for: CodesFor
    mailed_code_for: MailedCodeFor
    confirmer_for: ConfirmerFor
    report: Callable[[str], None]
    today: date

    @cached_property
    def public(self) -> AnonymousClient:
        return AnonymousClient(self.http)

    @cached_property
    def registrar(self) -> UserClient:
        return self.sign_in(scenario_data.REGISTRAR)

    @cached_property
    def reviewer(self) -> UserClient:
        return self.sign_in(scenario_data.REVIEWER)

    @cached_property
    def approver(self) -> UserClient:
        return self.sign_in(scenario_data.APPROVER)

    @cached_property
    def owner(self) -> UserClient:
        return self.sign_in(scenario_data.OWNER)

    @cached_property
    def second_owner(self) -> UserClient:
        return self.sign_in(scenario_data.SECOND_OWNER)

    def sign_in(self, email: str) -> UserClient:
        return UserClient(self.http, email, self.password_for(email), self.codes_for(email), self.confirmer_for(email))

    @cached_property
    def listing(self) -> Mapping[str, Row]:
        """Return party → row of the sample register."""
        return {_party(row): row for name in scenario_data.REGISTER_FILES for row in sample_rows(name)}

    @cached_property
    def lines(self) -> Mapping[str, Row]:
        """Return product → row of the sample products, those that only the demo has included."""
        return {row["product_id"]: row for row in (*sample_rows(scenario_data.PRODUCTS_FILE), *OWN_ROWS)}

    def name(self, party: str) -> str:
        """Return the company's name without “(fictional)”, which all of them carry."""
        return self.listing[party]["legal_name_en"].removesuffix(" (fictional)")


def sample(name: str) -> bytes:
    return (files("app.demo") / "sample" / name).read_bytes()


def sample_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sample(name).decode("utf-8"))))


def _party(row: Row) -> str:
    return row.get("resident_id") or row["party_id"]
