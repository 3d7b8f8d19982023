"""Define the companies, cases and outcomes of the demo; companies and products are of the invented sample register."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

REGISTER_FILES = ("residents.csv", "others.csv")
PRODUCTS_FILE = "products.csv"

REGISTRAR, REVIEWER = "registrar@mik.example", "reviewer@mik.example"
APPROVER, OWNER, SECOND_OWNER = "approver@mik.example", "owner@mik.example", "second-owner@mik.example"
STAFF = (REGISTRAR, REVIEWER, APPROVER, OWNER)


@dataclass(frozen=True, slots=True)
class Company:
    """Describe a company of the sample register that registers and claims its listing."""

    party: str
    member: str
    started_on: date | None = None  # first day of series production; None: not entered yet
    basis: str | None = "Extract of the tax register and the director's authority, both seen."  # None: not confirmed

    @property
    def email(self) -> str:
        return f"{self.party.lower()}@company.example"


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """Describe a reviewer's question and the company's answer; without an answer the case stays waiting."""

    text: str
    answer: str | None = None
    started_on: date | None = None  # the company also enters the start of production
    commissioned: str | None = None  # … with this document; the registrar then sets the stage to operating


@dataclass(frozen=True, slots=True)
class DemoCase:
    """Describe an application from the draft to the state in which the demo leaves it."""

    party: str
    scheme: str
    products: tuple[str, ...]
    question: DemoQuestion | None = None
    resolutions: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (product, rule) → why it is accepted
    is_left_to_review: bool = False  # submitted, for users who want to try the reviewer's side

    @property
    def reference(self) -> str:
        return f"demo-{self.scheme}-{self.party}"

    @property
    def is_household(self) -> bool:
        return self.scheme == "URVA"


@dataclass(frozen=True, slots=True)
class Suspend:
    """Describe what the owner does to a certificate later."""

    product: str
    scheme: str
    cause: str
    note: str


@dataclass(frozen=True, slots=True)
class Revoke:
    product: str
    scheme: str
    reason: str


COMPANIES = (
    Company("R01", "Aygün Nümunə", started_on=date(2023, 4, 3)),
    Company("R02", "Elçin Nümunə"),
    Company("R03", "Fərid Nümunə", started_on=date(2023, 9, 11)),
    Company("R04", "Günel Nümunə"),
    Company("R06", "İlahə Nümunə", started_on=date(2024, 2, 5)),
    Company("R07", "Kamran Nümunə", started_on=date(2024, 6, 3)),
    Company("R08", "Lalə Nümunə", basis=None),
    Company("R09", "Murad Nümunə", started_on=date(2024, 5, 20)),
    Company("N01", "Həsən Nümunə", started_on=date(2023, 10, 2)),
    Company("V01", "Nərgiz Nümunə", started_on=date(2025, 3, 10)),
    Company("K01", "Tural Nümunə", started_on=date(2022, 8, 1)),
    Company(
        "U01",
        "Orxan Nümunə",
        started_on=date(2019, 5, 1),
        basis="Identity card and the municipality's letter, both seen.",
    ),
)

CASES = (
    DemoCase(
        "R01",
        "MIK",
        ("P001", "P002"),
        resolutions={
            ("P002", "K-06"): (
                "39.0 %, one point below the threshold. All work is done at the site in Ağdam; only the coil comes "
                "from abroad, and the accountant's statement agrees."
            )
        },
    ),
    DemoCase("R03", "MIK", ("P005",)),
    DemoCase("R06", "MIK", ("P010",)),
    DemoCase("R07", "MIK", ("P013",)),
    DemoCase(
        "R09",
        "MIK",
        ("P016", "P017", "P019"),
        resolutions={
            ("P017", "C-04"): (
                "Tubing without fittings: 7326.90 fits, and so would 7308.90. Either way the heading changes."
            )
        },
    ),
    DemoCase(
        "K01",
        "MIK",
        ("K01-1",),
        resolutions={
            ("K01-1", "K-02"): "The mill is in Tərtər, outside the parks. The site was visited: milling is done there."
        },
    ),
    DemoCase(
        "R04",
        "MIK",
        ("P007",),
        question=DemoQuestion(
            "The register says that the plant is being built. Has series production started, and since when?",
            answer="Yes, since 3 November 2025. The park has taken over the line; its act is attached.",
            started_on=date(2025, 11, 3),
            commissioned="Commissioning act of the mixing line, 3 November 2025",
        ),
    ),
    DemoCase(
        "R02",
        "MIK",
        ("P003", "P004"),
        question=DemoQuestion("The register says that the plant is being built. When will series production start?"),
    ),
    DemoCase("N01", "MIA", ("P043",)),
    DemoCase("U01", "URVA", ("P045",)),
    DemoCase("V01", "MIA", ("P041",), is_left_to_review=True),
)

UNCONFIRMED = DemoCase("R08", "MIK", ("P015",))
"""May draft and try the rules, but not submit."""

ACTIONS: tuple[Suspend | Revoke, ...] = (
    Suspend(
        "P016",
        "MIK",
        "hearing",
        "A buyer shows motors that the holder's invoices do not list: the documents may be false. The holder is heard.",
    ),
    Revoke("P005", "MIK", "mark-on-uncertified-goods"),
)

CANCELLED = "R01"
"""Company whose residency a dry run of an import cancels, to show the certificates concerned."""
