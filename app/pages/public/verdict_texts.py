"""Define colour, word, icon, sentence and advice of each verdict for pages. Pure.

The codes are those of the verification response. A code without a text is shown as it is, never omitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.certificates.model import RevocationReason, SuspensionCause
from app.certificates.read_model.record import REISSUED
from app.pages.i18n import _
from app.schemes.origin_calculation import OriginCriterion
from app.verification.verdict import Verdict


@dataclass(frozen=True, slots=True)
class VerdictText:
    """`tone` and `icon` are names in `pages.css` and `parts.html`; the texts are keys of the catalogues."""

    word: str
    tone: str
    icon: str
    says: str
    advice: str


VERDICT_TEXTS: Mapping[Verdict, VerdictText] = MappingProxyType(
    {
        Verdict.VALID: VerdictText(
            _("Valid"),
            "good",
            "check",
            _("This certificate is genuine and valid."),
            _("Compare product and holder with the goods in front of you: a genuine certificate can be copied."),
        ),
        Verdict.NOT_YET_VALID: VerdictText(
            _("Not yet valid"),
            "wait",
            "clock",
            _("This certificate is genuine, but it is not valid yet."),
            _("The mark may be used from the first day of validity."),
        ),
        Verdict.SUSPENDED: VerdictText(
            _("Suspended"),
            "wait",
            "pause",
            _("This certificate is genuine, but suspended: at present it must not be used."),
            _("A suspension can be lifted. Check again before you decide, and ask the holder."),
        ),
        Verdict.EXPIRED: VerdictText(
            _("Expired"),
            "wait",
            "ended",
            _("This certificate is genuine, but it has expired."),
            _("Ask the holder for a valid certificate."),
        ),
        Verdict.SUPERSEDED: VerdictText(
            _("Superseded"),
            "bad",
            "swap",
            _("This certificate was replaced by a newer one and must no longer be used."),
            _("Ask the holder for the new certificate and check it."),
        ),
        Verdict.KEY_COMPROMISED: VerdictText(
            _("Key compromised"),
            "bad",
            "key",
            _("This certificate is in our register, but others may have had the key that signed it."),
            _("Do not rely on it now. We sign genuine certificates anew under the same number: check it again later."),
        ),
        Verdict.SURRENDERED: VerdictText(
            _("Surrendered"),
            "bad",
            "back",
            _("This certificate was surrendered by its holder. It must no longer be used."),
            _("Ask the seller when and by whom the goods were made."),
        ),
        Verdict.REVOKED: VerdictText(
            _("Revoked"),
            "bad",
            "cross",
            _("This certificate was revoked by the owner of the mark. It must no longer be used."),
            _("Do not rely on it, whatever the document says. Ask the seller for an explanation."),
        ),
        Verdict.UNKNOWN: VerdictText(
            _("Not found"),
            "bad",
            "question",
            _("No certificate with this number is in our register."),
            _("Compare the number with the document again. If it is the same, do not rely on the document."),
        ),
        Verdict.MISTYPED: VerdictText(
            _("Mistyped"),
            "neutral",
            "pencil",
            _("This is not a certificate number: a character is wrong or missing."),
            _("Check the number again: 0 and O, 1 and I, 5 and S, 8 and B are easily confused."),
        ),
        Verdict.UNREADABLE: VerdictText(
            _("Unreadable"),
            "neutral",
            "file",
            _("This is not a whole certificate. Ask for it again or type its number."),
            _("Nothing was checked: the text was cut off or changed on the way."),
        ),
        Verdict.FORGED: VerdictText(
            _("Possible counterfeit"),
            "bad",
            "alert",
            _("This is not a certificate that we issued. Do not rely on it."),
            _("Keep the document or file, and ask the seller where it came from."),
        ),
    }
)

ALARM_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "foreign": (
            _("Possible counterfeit"),
            _("This code leads to %(host)s, which is not ours. The document is probably forged."),
        ),
        "other": (
            _("Stamp does not match"),
            _("The stamp in the code does not match the register entry for this number. Do not rely on the document."),
        ),
        "forged": (
            _("Possible counterfeit"),
            _("The stamp in this code was not made by us. Do not rely on the document."),
        ),
        "changed": (
            _("Changed"),
            _("This file was changed after we signed it. Do not rely on what it shows."),
        ),
        "differs": (
            _("Does not match"),
            _("The document differs from the register entry for this number. Do not rely on the document."),
        ),
    }
)
"""Word and sentence for a document that contradicts the register, by the kind of contradiction."""

SIGNATURE_TEXTS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "ours": (
            "good",
            "check",
            _("Our signature"),
            _("This PDF carries our signature and was not changed after it."),
        ),
        "other": (
            "bad",
            "alert",
            _("Not our signature"),
            _("This PDF was not signed by us. The result is about the certificate attached to it, not its pages."),
        ),
        "none": (
            "wait",
            "question",
            _("Not signed"),
            _("This PDF carries no signature. The result is about the certificate attached to it, not its pages."),
        ),
    }
)
"""Tone, icon, word and sentence for the signature of a PDF; a changed file is in `ALARM_TEXTS`."""

CHECK_TEXTS: Mapping[tuple[str, bool], str] = MappingProxyType(
    {
        ("form", True): _("The number has the right format and its check character is correct."),
        ("form", False): _(
            "The number does not have the format of a certificate number, or its check character is wrong."
        ),
        ("record", True): _("The certificate is in our register."),
        ("record", False): _("No such certificate is in our register."),
        ("signature", True): _("The signature was made with one of our keys."),
        ("signature", False): _("It does not carry a valid signature of ours."),
        ("content", True): _("The content is what we issued for this number."),
        ("content", False): _("The content is not what we issued for this number."),
        ("log", True): _("Its issue is recorded in the public log, where entries cannot be changed afterwards."),
        ("log", False): _("Its issue is not recorded in the public log, or the record differs."),
        ("key_state", True): _("The key that signed it was valid at that time."),
        ("key_state", False): _("The key that signed it cannot be trusted for this certificate."),
        ("validity", True): _("Today is within its period of validity."),
        ("validity", False): _("Today is outside its period of validity."),
        ("status", True): _("It is not suspended, revoked, surrendered or superseded."),
        ("status", False): _("Its status does not allow it to be used."),
    }
)

REASON_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        RevocationReason.FALSE_DOCUMENTS: _("false documents"),
        RevocationReason.UNCERTIFIED_GOODS: _("the mark was used on goods without a certificate"),
        RevocationReason.CRITICAL_NONCONFORMITY: _("a critical breach of the rules of the mark"),
        RevocationReason.RESIDENCY_CANCELLED: _("the residency in the park was cancelled"),
        RevocationReason.BANKRUPTCY: _("bankruptcy of the holder"),
        RevocationReason.REPEATED_SUSPENSION: _("repeated suspension"),
        RevocationReason.COURT_ORDER: _("a court order"),
        REISSUED: _("it was signed anew; its number stays the same"),
        SuspensionCause.RESIDENCY: _("the residency in the park is not in force"),
        SuspensionCause.DOCUMENT: _("a required document has expired or was withdrawn"),
        SuspensionCause.HEARING: _("a hearing is under way"),
        SuspensionCause.SURVEILLANCE: _("a finding during surveillance"),
        SuspensionCause.CHANGE: _("a change that the holder did not report"),
        SuspensionCause.LICENCE: _("the licence to use the mark is not in force"),
        SuspensionCause.MARK: _("the registration of the mark ended"),
        SuspensionCause.HOLDER: _("at the holder's request"),
        SuspensionCause.INCIDENT: _("an incident is being investigated"),
        SuspensionCause.COURT: _("a court order"),
    }
)

CRITERION_TEXTS: Mapping[str, str] = MappingProxyType(
    {
        OriginCriterion.WHOLLY_OBTAINED: _("Wholly obtained: grown, raised, caught or mined here"),
        OriginCriterion.ORIGINATING_MATERIALS: _("Made here only from materials that originate here"),
        OriginCriterion.CHANGE_OF_HEADING: _(
            "Made here from other goods: every non-originating material changed its tariff heading"
        ),
        OriginCriterion.VALUE_CONTENT: _("Made here by value: enough of its price was added here"),
    }
)
