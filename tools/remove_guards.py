"""Take away one guard at a time and see whether a test notices: `python -m tools.remove_guards [name ...]`.

Works on a copy of the checkout with a test database of its own. A guard whose removal no test notices is printed and
makes the command fail. Takes minutes; not part of `make test`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Guard:
    name: str
    file: str
    code: str
    without: str
    tests: str = "tests/test_permission_matrix.py"


RULE = "tests/customers/test_access.py"
WALLS = "tests/test_tenancy.py"
IMPORT = "tests/customers/test_import_steps.py"
GUARDS = (
    Guard("rule: exclusive assignments", "customers/access.py", "if dedicated != free:", "if False:", RULE),
    Guard("rule: the grant confirms what is own", "customers/access.py", "& Q(granted)", "| Q(granted)", RULE),
    Guard("rule: reach none is nothing", "customers/access.py", "return {}", "return {Rule.AREA: Q()}", RULE),
    Guard("rule: reach own is no place", "customers/access.py", "    return None\n", "    return Q()\n", RULE),
    Guard(
        "rule: cover runs by the clock",
        "customers/models/grants.py",
        "ends_at__gt=Now()",
        "ends_at__isnull=False",
        RULE,
    ),
    Guard(
        "import: names whom the importer sees",
        "customers/importing/comparing.py",
        '"CASE WHEN {} THEN customer.number',
        '"CASE WHEN true OR {} THEN customer.number',
        IMPORT,
    ),
    Guard(
        "import: changes whom one may edit",
        "customers/importing/comparing.py",
        '" AND NOT {changed}"',
        '" AND false AND NOT {changed}"',
        IMPORT,
    ),
    Guard("search: hidden contact data", "customers/querysets.py", "| whole | openly", "| _ALWAYS", RULE),
    Guard("member: deactivated holds nothing", "teams/models.py", "if self.is_active else Reach.NONE", "", RULE),
    Guard("middleware: active members only", "lendconsole/middleware.py", "Member.objects.active()", "Member.objects"),
    Guard(
        "middleware: this organization",
        "lendconsole/middleware.py",
        "filter(organization=organization, user",
        "filter(user",
    ),
    Guard("page: its capability", "accounts/pages.py", "if self.capability is not None:", "if False:"),
    Guard(
        "page: POST alone changes",
        "accounts/pages.py",
        '["get", "head", "post", "options"]',
        '["get", "put", "head", "post"]',
    ),
    Guard(
        "service: assign requires",
        "customers/policy.py",
        "    require(actor, capability, locked)\n",
        "",
        "tests/customers",
    ),
    Guard(
        "form: managers to choose from",
        "customers/forms/account_managers.py",
        "managers = assignable_managers(member, self.chosen_office)",
        "managers = Member.objects.select_related('user', 'role', 'office').annotate(load=models.Value(0))",
        "tests/customers",
    ),
    Guard("form: roles to give", "teams/policy.py", "not role.exceeds(actor.role)", "True", "tests/teams"),
    Guard(
        "database: row-level security",
        "lendconsole/tenancy.py",
        'ENABLE ROW LEVEL SECURITY; "',
        'DISABLE ROW LEVEL SECURITY; "',
        WALLS,
    ),
    Guard(
        "database: composite keys",
        "lendconsole/tenancy.py",
        'FOREIGN KEY (organization_id, %(column)s) "\n        "REFERENCES %(target)s (organization_id, id)',
        'FOREIGN KEY (%(column)s) "\n        "REFERENCES %(target)s (id)',
        WALLS,
    ),
    Guard(
        "database: append-only audit",
        "audit/migrations/0002_append_only.py",
        "RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege'",
        "RETURN NULL",
        "tests/audit",
    ),
    Guard(
        "borrower: tries at a code are counted",
        "customers/services/borrowers.py",
        "attempts__lte=CODE_ATTEMPTS",
        "attempts__gte=0",
        "tests/customers/test_borrower_codes.py",
    ),
    Guard(
        "borrower: a long ended code is unknown",
        "customers/services/verification.py",
        "ManagerCode.objects.filter(lately, ",
        "ManagerCode.objects.filter(",
        "tests/customers/test_impostors.py",
    ),
    Guard(
        "personal data: a hold keeps",
        "customers/services/personal_data.py",
        "    if is_held(customer):",
        "    if False:",
        "tests/customers/test_personal_data.py",
    ),
    Guard(
        "papers: reviewed by who sees the customer in full",
        "customers/models/documents.py",
        ".waiting().filter(customer__in=decided)",
        ".waiting()",
        "tests/customers/test_waiting_documents.py",
    ),
    Guard(
        "papers: to be done by who sees the customer in full",
        "customers/models/notes.py",
        ", customer__in=seen)",
        ")",
        "tests/customers/test_follow_ups.py",
    ),
)


def main(names: list[str]) -> int:
    chosen = [guard for guard in GUARDS if not names or any(name in guard.name for name in names)]
    unnoticed = []
    for guard in chosen:
        noticed = notices(guard)
        print(f"{'noticed  ' if noticed else 'UNNOTICED'}  {guard.name}", flush=True)
        if not noticed:
            unnoticed.append(guard)
    print(f"{len(chosen) - len(unnoticed)} of {len(chosen)} guards are missed when they are gone")
    return 1 if unnoticed else 0


def notices(guard: Guard) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".devstack", ".static", "__pycache__")
        )
        file = copy / guard.file
        source = file.read_text()
        if guard.code not in source:
            raise SystemExit(f"{guard.name}: {guard.file} no longer holds {guard.code!r}")
        file.write_text(source.replace(guard.code, guard.without))
        environment = {
            **os.environ,
            "DEBUG": "1",
            "DEVSTACK_DIR": os.environ.get("DEVSTACK_DIR") or str(ROOT / ".devstack"),
            "TEST_DATABASE_NAME": "test_without_a_guard",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "--create-db", *guard.tests.split()]
        result = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
        if result.returncode not in (0, 1):
            raise SystemExit(f"{guard.name}: the tests did not run\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
        return result.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
