"""A worker that is killed in the middle of an import: nothing of it is there, and the next worker does it once."""

from __future__ import annotations

import pytest

from audit.models import AuditEvent
from audit.verbs import Verb
from customers.models import Customer, CustomerImport
from customers.tasks import sweep_imports
from tests.customers.import_steps import Steps, person
from tests.faults.conftest import StartWorker
from tests.faults.stack import until
from tests.mail_server import MailServer
from tests.world import World

pytestmark = pytest.mark.faults
ROWS = 4_000
IN_TIME = 60


def test_a_worker_killed_in_mid_import_neither_halves_nor_doubles_it(
    world: World, start_worker: StartWorker, server: MailServer
) -> None:
    steps = Steps.of(world.kudi)
    rows = (person(steps, f"N-{number}", email=f"n{number}@mail.example") for number in range(ROWS))
    row = steps.checked(steps.file(*rows))
    doomed = start_worker()
    steps.start(row)

    def progress() -> int:
        now = steps.again(row)
        assert now.state == "loading", "it was too fast to be killed"
        return now.progress

    until(lambda: progress() >= ROWS, seconds=IN_TIME, what="the worker has read them all and writes")
    doomed.kill()
    assert loaded(steps) == 0
    with steps.context():
        CustomerImport.objects.filter(pk=row.pk).update(leased_until=None)  # as time would
    start_worker()
    assert sweep_imports() == 1
    until(lambda: steps.again(row).state == "done", seconds=IN_TIME, what="another worker finishes it")
    assert (loaded(steps), steps.again(row).attempts) == (ROWS, 2)
    with steps.context():
        assert AuditEvent.objects.filter(verb=Verb.CUSTOMERS_IMPORTED).count() == 1
    until(lambda: len(server.arrived) == 1, seconds=IN_TIME, what="the one e-mail")


def loaded(steps: Steps) -> int:
    with steps.context():
        return Customer.objects.filter(number__startswith="N-").count()
