"""What a verdict looks like and says to a person: colour, word and icon, and what to do now. Pure.

The codes come from the one answer of verification; here they only get words. Whatever code has none yet is shown as the
answer has it, never left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.certificates.model import RevocationReason, SuspensionCause
from app.pages.words import _
from app.schemes.origin import Criterion
from app.verification.checks import Verdict


@dataclass(frozen=True, slots=True)
class Face:
    """`tone` and `icon` are names in `pages.css` and `parts.html`; the texts are keys of the catalogues."""

    word: str
    tone: str
    icon: str
    says: str
    advice: str


FACES: Mapping[Verdict, Face] = MappingProxyType(
    {
        Verdict.VALID: Face(
            _("Valid"),
            "good",
            "check",
            _("This certificate is genuine and in force."),
            _("Compare product and holder with the goods in front of you: a genuine certificate can be copied."),
        ),
        Verdict.NOT_YET_VALID: Face(
            _("Not yet valid"),
            "wait",
            "clock",
            _("This certificate is genuine, but its term has not begun."),
            _("Goods may carry the mark from the first day of the term."),
        ),
        Verdict.SUSPENDED: Face(
            _("Suspended"),
            "wait",
            "pause",
            _("This certificate is genuine, but suspended: at present it must not be used."),
            _("A suspension can end. Check again before you decide, and ask the holder."),
        ),
        Verdict.EXPIRED: Face(
            _("Expired"),
            "wait",
            "ended",
            _("This certificate is genuine, but its term has ended."),
            _("Ask the holder for a certificate that is in force."),
        ),
        Verdict.SUPERSEDED: Face(
            _("Superseded"),
            "bad",
            "swap",
            _("This certificate was replaced by a newer one and must no longer be used."),
            _("Ask the holder for the new number, and check that."),
        ),
        Verdict.SURRENDERED: Face(
            _("Surrendered"),
            "bad",
            "back",
            _("This certificate was given back by its holder. It must no longer be used."),
            _("Ask the seller when and by whom the goods were made."),
        ),
        Verdict.REVOKED: Face(
            _("Revoked"),
            "bad",
            "cross",
            _("This certificate was revoked by the owner of the mark. It must no longer be used."),
            _("Do not rely on it, whatever the paper says. Ask the seller for an explanation."),
        ),
        Verdict.UNKNOWN: Face(
            _("Not found"),
            "bad",
            "question",
            _("No certificate with this number is in our register."),
            _("Compare the number with the paper once more. If it is the same, do not rely on the paper."),
        ),
        Verdict.MISTYPED: Face(
            _("Mistyped"),
            "neutral",
            "pencil",
            _("This is not a certificate number: a character is wrong or missing."),
            _("Look again: 0 and O, 1 and I, 5 and S, 8 and B are easily confused. Then enter it once more."),
        ),
        Verdict.UNREADABLE: Face(
            _("Unreadable"),
            "neutral",
            "file",
            _("This is not a whole certificate. Ask for it again or type its number."),
            _("Nothing was checked: the text was cut off or changed on its way."),
        ),
        Verdict.FORGED: Face(
            _("Possible counterfeit"),
            "bad",
            "alert",
            _("This is not a certificate that we issued. Do not rely on it."),
            _("Keep the paper or the file, and ask the seller where it came from."),
        ),
    }
)

ALARMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "foreign": (
            _("Possible counterfeit"),
            _("This code leads to %(host)s, which is not ours. The paper is probably forged."),
        ),
        "other": (
            _("Wrong stamp"),
            _("The stamp in the code does not fit what the register says of this number. Do not rely on the paper."),
        ),
        "forged": (
            _("Possible counterfeit"),
            _("The stamp in this code was not made by us. Do not rely on the paper."),
        ),
        "changed": (
            _("Changed"),
            _("This file was changed after we signed it. Do not rely on what it shows."),
        ),
        "differs": (
            _("Does not match"),
            _("What the paper says is not what the register says of this number. Do not rely on the paper."),
        ),
    }
)
"""Word and sentence for a paper that contradicts the register, by what gives it away."""

CHECKS: Mapping[tuple[str, bool], str] = MappingProxyType(
    {
        ("form", True): _("The number has the right form, and its check character fits."),
        ("form", False): _("The number has not the form of a certificate number, or its check character does not fit."),
        ("record", True): _("The certificate is in our register."),
        ("record", False): _("No such certificate is in our register."),
        ("signature", True): _("The signature was made with one of our keys."),
        ("signature", False): _("There is no right signature of ours on it."),
        ("content", True): _("The content is what we issued for this number."),
        ("content", False): _("The content is not what we issued for this number."),
        ("log", True): _("Its issue is in the public log, where nothing can be changed afterwards."),
        ("log", False): _("Its issue is not in the public log, or differs from it."),
        ("key_state", True): _("The key that signed it was good at that time."),
        ("key_state", False): _("The key that signed it cannot be trusted for this certificate."),
        ("validity", True): _("Today is within its term."),
        ("validity", False): _("Today is outside its term."),
        ("status", True): _("It is not suspended, revoked, surrendered or superseded."),
        ("status", False): _("Its status does not allow its use."),
    }
)

REASONS: Mapping[str, str] = MappingProxyType(
    {
        RevocationReason.FALSE_DOCUMENTS: _("false documents"),
        RevocationReason.UNCERTIFIED_GOODS: _("the mark was used on goods without a certificate"),
        RevocationReason.CRITICAL_NONCONFORMITY: _("a critical breach of the rules of the mark"),
        RevocationReason.RESIDENCY_CANCELLED: _("the residency in the park was cancelled"),
        RevocationReason.BANKRUPTCY: _("bankruptcy of the holder"),
        RevocationReason.REPEATED_SUSPENSION: _("repeated suspension"),
        RevocationReason.COURT_ORDER: _("an order of a court"),
        SuspensionCause.RESIDENCY: _("the residency in the park is not in force"),
        SuspensionCause.DOCUMENT: _("a document that is needed ended or was withdrawn"),
        SuspensionCause.HEARING: _("a hearing is under way"),
        SuspensionCause.SURVEILLANCE: _("a finding of surveillance"),
        SuspensionCause.CHANGE: _("a change that the holder did not report"),
        SuspensionCause.LICENCE: _("the licence of the mark is not in force"),
        SuspensionCause.MARK: _("the registration of the mark ended"),
        SuspensionCause.HOLDER: _("at the wish of the holder"),
        SuspensionCause.INCIDENT: _("an incident is being looked into"),
        SuspensionCause.COURT: _("an order of a court"),
    }
)

CRITERIA: Mapping[str, str] = MappingProxyType(
    {
        Criterion.WHOLLY_OBTAINED: _("Wholly obtained: grown, raised, caught or mined here"),
        Criterion.ORIGINATING_MATERIALS: _("Made here only from materials that originate here"),
        Criterion.CHANGE_OF_HEADING: _("Made here from other goods: every foreign material changed its tariff heading"),
        Criterion.VALUE_CONTENT: _("Made here by value: enough of its price was added here"),
    }
)
