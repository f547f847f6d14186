"""The two demo lenders: their offices and their people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.models import Office

HEAD_OFFICE: Final = "Head Office"
HUMAN_RESOURCES: Final = "Human Resources"
HUMAN_RESOURCES_REACHES: Final = {
    Capability.MEMBERS_VIEW: Reach.ORGANIZATION,
    Capability.MEMBERS_INVITE: Reach.ORGANIZATION,
    Capability.OFFICES_VIEW: Reach.ORGANIZATION,
    Capability.ROLES_VIEW: Reach.ORGANIZATION,
}
SUPER_ADMIN, ADMIN, ACCOUNT_MANAGER, LOAN_OFFICER, CUSTOMER_SUPPORT, COMPLIANCE = (role.label for role in BuiltInRole)


@dataclass(frozen=True, slots=True)
class Person:
    """Addresses follow from names, `grace.nnamdi@kudi.example`, unless they are given."""

    name: str
    role: str
    office: str = HEAD_OFFICE
    email: str = ""

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    @property
    def last_name(self) -> str:
        return self.name.split()[1]

    def address(self, slug: str) -> str:
        return self.email or f"{self.name.lower().replace(' ', '.')}@{slug}.example"


@dataclass(frozen=True, slots=True)
class Lender:
    """`offices`: name, type, the office above it. `people`: the first is the Super Admin who invites the others."""

    name: str
    slug: str
    facts: dict[str, str]
    offices: tuple[tuple[str, Office.Type, str], ...]
    people: tuple[Person, ...]
    former: tuple[Person, ...] = ()
    invited: tuple[Person, ...] = ()
    borrowers: str = ""
    assigned_share: float = 0.0
    work_phones: str = field(default="")


_IFEANYI: Final = "ifeanyi.okoro@lenders.example"

KUDI: Final = Lender(
    name="Kudi Microfinance",
    slug="kudi",
    facts={
        "time_zone": "Africa/Lagos",
        "currency": "NGN",
        "phone_region": "NG",
        "customer_number_prefix": "KM-",
        "contact_email": "help@kudi.example",
        "contact_phone": "+2348091234560",
    },
    offices=(
        ("Ikeja Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("Lekki Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("Kano Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("Port Harcourt Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("Abuja Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("Ibadan Branch", Office.Type.BRANCH, HEAD_OFFICE),
        ("SME Team", Office.Type.TEAM, "Ikeja Branch"),
    ),
    people=(
        Person("Adaora Okonkwo", SUPER_ADMIN),
        Person("Babajide Fashola", ADMIN),
        Person("Chiamaka Umeh", ADMIN, "Kano Branch"),
        Person("Tunde Adeyemi", ACCOUNT_MANAGER, "Ikeja Branch"),
        Person("Amaka Obi", ACCOUNT_MANAGER, "Lekki Branch"),
        Person("Halima Bello", ACCOUNT_MANAGER, "Kano Branch"),
        Person("Efe Osagie", ACCOUNT_MANAGER, "Lekki Branch"),
        Person("Ngozi Eze", ACCOUNT_MANAGER, "Port Harcourt Branch"),
        Person("Musa Ibrahim", ACCOUNT_MANAGER, "Abuja Branch"),
        Person("Adesuwa Igbinedion", ACCOUNT_MANAGER, "SME Team"),
        Person("Yusuf Danjuma", ACCOUNT_MANAGER, "Kano Branch"),
        Person("Kemi Balogun", ACCOUNT_MANAGER, "Ibadan Branch"),
        Person("Chinedu Eke", ACCOUNT_MANAGER),
        Person("Segun Adewale", LOAN_OFFICER, "Ikeja Branch"),
        Person("Blessing Effiong", LOAN_OFFICER, "Port Harcourt Branch"),
        Person("Ibrahim Sani", LOAN_OFFICER, "Kano Branch"),
        Person("Folake Adeyinka", LOAN_OFFICER, "Ibadan Branch"),
        Person("Maryam Yusuf", LOAN_OFFICER, "Abuja Branch"),
        Person("Grace Nnamdi", CUSTOMER_SUPPORT),
        Person("Uche Obiora", CUSTOMER_SUPPORT, "Lekki Branch"),
        Person("Zainab Lawal", CUSTOMER_SUPPORT, "Kano Branch"),
        Person("Funmilayo Ajayi", COMPLIANCE),
        Person("Ifeanyi Okoro", COMPLIANCE, email=_IFEANYI),
        Person("Patience Edet", HUMAN_RESOURCES),
        Person("Emeka Uzor", HUMAN_RESOURCES, "Abuja Branch"),
    ),
    former=(
        Person("Sola Martins", LOAN_OFFICER, "Lekki Branch"),
        Person("Dapo Ogunbanjo", CUSTOMER_SUPPORT, "Ibadan Branch"),
    ),
    invited=(
        Person("Chisom Nwachukwu", ACCOUNT_MANAGER, "Ikeja Branch"),
        Person("Bashir Garba", LOAN_OFFICER, "Kano Branch"),
        Person("Toyin Alade", CUSTOMER_SUPPORT),
    ),
    borrowers="borrowers.csv",
    assigned_share=0.6,
    work_phones="+23480912345{:02d}",
)

SAVANNA: Final = Lender(
    name="Savanna Credit",
    slug="savanna",
    facts={
        "time_zone": "Africa/Nairobi",
        "currency": "KES",
        "phone_region": "KE",
        "customer_number_prefix": "SC-",
        "contact_email": "help@savanna.example",
        "contact_phone": "+254712345600",
    },
    offices=(("Mombasa Branch", Office.Type.BRANCH, HEAD_OFFICE),),
    people=(
        Person("Wanjiru Kamau", SUPER_ADMIN),
        Person("Ifeanyi Okoro", ADMIN, email=_IFEANYI),
        Person("Otieno Ouma", ACCOUNT_MANAGER),
        Person("Achieng Njoroge", ACCOUNT_MANAGER, "Mombasa Branch"),
        Person("Mwangi Kariuki", CUSTOMER_SUPPORT, "Mombasa Branch"),
    ),
    invited=(Person("Njeri Mutua", LOAN_OFFICER),),
    borrowers="savanna.csv",
    work_phones="+2547123456{:02d}",
)

LENDERS: Final = (KUDI, SAVANNA)
