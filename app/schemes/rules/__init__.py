"""The kinds of rules. A scheme file chooses among them by `kind`; a further mark needs no further Python."""

from typing import Annotated

from pydantic import Field

from app.schemes.rules.company import (
    ApplicantKindRule,
    ProductionStartedRule,
    ResidencyHolderRule,
    ResidencyRule,
    TaxNumberRule,
)
from app.schemes.rules.documents import DocumentRule, EvidenceChoiceRule
from app.schemes.rules.export import ExportRecordRule, OriginDocumentRule
from app.schemes.rules.goods import BarredGoodsRule, GoodsOnlyRule, HsCodeRule, ListedGoodsRule, SpecialGoodsRule
from app.schemes.rules.membership import MunicipalityMemberRule
from app.schemes.rules.names import FamilyBrandRule, ProtectedNamesRule
from app.schemes.rules.place import SiteCountryRule, SiteTerritoryRule, ZoneKindRule
from app.schemes.rules.process import (
    EssentialStepHereRule,
    FinishedInTerritoryRule,
    LastEssentialStepRule,
    MoreThanSimpleRule,
)
from app.schemes.rules.record import ApprovedActivityRule, CleanRecordRule, RegisterSnapshotRule
from app.schemes.rules.shares import CostShareRule, LocalRawMaterialRule
from app.schemes.rules.substance import OriginRule, ValueContentRule
from app.schemes.rules.volumes import ClaimedVolumeRule, HouseholdVolumeRule, LocalMaterialRule, OwnedShareRule

AnyRule = Annotated[
    TaxNumberRule
    | ApplicantKindRule
    | ResidencyRule
    | ResidencyHolderRule
    | ProductionStartedRule
    | CleanRecordRule
    | RegisterSnapshotRule
    | ApprovedActivityRule
    | DocumentRule
    | EvidenceChoiceRule
    | OwnedShareRule
    | OriginDocumentRule
    | ExportRecordRule
    | ProtectedNamesRule
    | FamilyBrandRule
    | MunicipalityMemberRule
    | HsCodeRule
    | BarredGoodsRule
    | SpecialGoodsRule
    | ListedGoodsRule
    | GoodsOnlyRule
    | SiteTerritoryRule
    | SiteCountryRule
    | ZoneKindRule
    | MoreThanSimpleRule
    | LastEssentialStepRule
    | EssentialStepHereRule
    | FinishedInTerritoryRule
    | CostShareRule
    | LocalRawMaterialRule
    | LocalMaterialRule
    | ClaimedVolumeRule
    | HouseholdVolumeRule
    | OriginRule
    | ValueContentRule,
    Field(discriminator="kind"),
]
