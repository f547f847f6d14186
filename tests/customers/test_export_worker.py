"""Exports of customers: what becomes of a worker that dies or fails, and of rights that are lost meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from customers import tasks
from customers.exporting import making
from customers.files import store
from customers.models import Export, StoredFile
from customers.tasks import make_export, sweep_exports
from lendconsole.tenancy import organization_context
from teams.models import Member
from tests.customers.export_support import again, ask, download, made
from tests.world import World


def test_a_killed_worker_leaves_nothing_and_another_begins_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def die(*args: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(making._Making, "_offer", die)
        with pytest.raises(SystemExit):
            make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.RUNNING
    assert download(kudi, export).status_code == 404
    assert not make_export(kudi.organization.pk, export.pk), "its claim still holds"
    sent: list[tuple[Any, ...]] = []

    def publish(*message: Any) -> bool:
        sent.append(message)
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    assert sweep_exports() == 0
    with time_machine.travel(timezone.now() + making.LEASE, tick=False):
        assert sweep_exports() == 1
        assert sent == [(making.MAKE_EXPORT, kudi.organization.pk, export.pk)]
        assert make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).rows == 4


def test_a_worker_that_dies_while_the_file_is_kept_leaves_no_piece(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def die(*args: Any, **options: Any) -> None:
        store(*args, **options)
        raise SystemExit

    monkeypatch.setattr(making, "store", die)
    with pytest.raises(SystemExit):
        make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert not StoredFile.objects.exists()
    assert again(kudi, export).state == Export.State.RUNNING


def test_one_that_fails_each_time_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)

    def break_(*args: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(making._Making, "_write_rows", break_)
    for _ in range(making.MOST_ATTEMPTS + 1):
        assert not make_export(kudi.organization.pk, export.pk)
    export = again(kudi, export)
    assert (export.state, export.attempts) == (Export.State.FAILED, making.MOST_ATTEMPTS)
    assert "disk full" not in export.state_reason


def test_one_whose_worker_dies_each_time_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    with organization_context(kudi.organization.pk):
        Export.objects.update(attempts=making.MOST_ATTEMPTS, state=Export.State.RUNNING)
    assert not make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.FAILED


def test_rights_lost_in_the_middle_stop_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    read = making.read_rows

    def demoted(member: Member, ids: Any, columns: Any) -> Any:
        Member.objects.filter(pk=member.pk).update(role=kudi.roles["customer_support"], version=member.version + 1)
        return read(member, ids)

    monkeypatch.setattr(making, "read_rows", demoted)
    assert not make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert Export.objects.get().state == Export.State.FAILED
        assert not StoredFile.objects.exists()


def test_a_member_who_is_gone_gets_no_file(world: World) -> None:
    kudi = world.kudi
    export = ask(kudi)
    with organization_context(kudi.organization.pk):
        Member.objects.filter(pk=kudi["admin"].pk).update(status="removed")
    assert not make_export(kudi.organization.pk, export.pk)
    assert again(kudi, export).state == Export.State.FAILED


def test_a_filter_that_means_nothing_any_more_does_not_widen_it(world: World) -> None:
    kudi = world.kudi
    export = ask(kudi, query=f"?office={kudi.other_branch.pk}")
    with organization_context(kudi.organization.pk):
        type(kudi.branch).objects.filter(pk=kudi.other_branch.pk).update(name="Renamed")
    assert not make_export(kudi.organization.pk, export.pk)
    assert "Set them anew" in again(kudi, export).state_reason


def test_nothing_is_left_on_the_workers_disk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made(world.kudi, format_="xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_was_removed_meanwhile_leaves_no_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kudi = world.kudi
    export = ask(kudi)
    read = making.read_rows

    def removed(member: Member, ids: Any, columns: Any) -> Any:
        Export.objects.filter(pk=export.pk).delete()
        return read(member, ids)

    monkeypatch.setattr(making, "read_rows", removed)
    assert not make_export(kudi.organization.pk, export.pk)
    with organization_context(kudi.organization.pk):
        assert not StoredFile.objects.exists()
