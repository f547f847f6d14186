"""A new key: what the old one encrypted is read before, meanwhile and afterwards, when the old one is gone."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command

from customers.bvn import bvn_columns, bvn_fingerprint
from customers.models import Customer
from lendconsole import rotation
from lendconsole.encryption import InvalidToken, decrypt, encrypt
from lendconsole.rotation import COLUMNS, rotate_all
from lendconsole.tenancy import organization_context, outside_organizations
from notifications.models import OutgoingEmail
from notifications.services import queue_account_email
from tests.world import BVNS, Lender, World

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def old(settings: Any) -> Any:
    """The settings with one key, before the world is made."""
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    return settings


@pytest.fixture
def world(old: Any, world: World) -> World:
    return world


def bvns(lender: Lender) -> dict[str, str]:
    with organization_context(lender.organization.pk):
        rows = {key: Customer.objects.get(pk=customer.pk) for key, customer in lender.customers.items()}
    return {key: decrypt(row.bvn_encrypted) for key, row in rows.items()}


def tokens(lender: Lender) -> list[str]:
    with organization_context(lender.organization.pk):
        return list(Customer.objects.order_by("pk").values_list("bvn_encrypted", flat=True))


def rotate() -> str:
    out = StringIO()
    call_command("rotate_encryption_keys", stdout=out, stderr=out)
    return out.getvalue()


def test_a_key_is_replaced(world: World, old: Any) -> None:
    user, secret = world.kudi["admin"].user, generate_totp_secret()
    TOTP.activate(user, secret)
    codes = RecoveryCodes.activate(user).get_unused_codes()
    email = queue_account_email(recipient="ada@mail.example", subject="Hello", text="The link")
    old.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert bvns(world.kudi) == bvns(world.rival) == BVNS, "read with the old key"
    said = rotate()
    assert f"BVNs of {world.kudi.organization}: 4 looked at, 4 written anew" in said
    assert "waiting account e-mails: 1 looked at, 1 written anew" in said
    assert "the older ones can go" in said
    old.FIELD_ENCRYPTION_KEYS = [NEW]
    assert bvns(world.kudi) == bvns(world.rival) == BVNS
    with outside_organizations():
        assert "The link" in decrypt(OutgoingEmail.objects.get(pk=email.pk).sealed_body)
    totp = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    assert decrypt(totp.data["secret"]) == secret
    recovery = Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES)
    assert RecoveryCodes(recovery).get_unused_codes() == codes


def test_without_it_the_old_key_may_not_go(world: World, old: Any) -> None:
    old.FIELD_ENCRYPTION_KEYS = [NEW]
    with pytest.raises(InvalidToken):
        bvns(world.kudi)


def test_a_second_time_writes_nothing(world: World, old: Any) -> None:
    old.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = tokens(world.kudi)
    assert "4 looked at, 0 written anew" in rotate()
    assert tokens(world.kudi) == before


def test_who_is_interrupted_goes_on(world: World, old: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PORTION", 1)
    old.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    steps: Iterator[Any] = rotate_all()
    next(steps)
    next(steps)
    assert bvns(world.kudi) == BVNS, "half of them with each key"
    done = tokens(world.kudi)[:2]
    rotate()
    assert tokens(world.kudi)[:2] == done
    old.FIELD_ENCRYPTION_KEYS = [NEW]
    assert bvns(world.kudi) == bvns(world.rival) == BVNS


def test_a_new_fingerprint_key_finds_numbers_again(world: World, old: Any) -> None:
    twin = world.kudi.customers["remote"]
    with organization_context(world.kudi.organization.pk):
        Customer.objects.filter(pk=twin.pk).update(**{**bvn_columns(BVNS["own"]), "bvn_fingerprint": ""})
    old.FIELD_FINGERPRINT_KEY = "another key of more than thirty-two characters"
    rotate()
    with organization_context(world.kudi.organization.pk):
        found = Customer.objects.get(bvn_fingerprint=bvn_fingerprint(BVNS["own"]))
        assert found.pk == world.kudi.customers["own"].pk
        assert Customer.objects.get(pk=twin.pk).bvn_fingerprint == ""


def test_what_no_key_opens_is_named_and_the_rest_goes_on(world: World, old: Any) -> None:
    lost = world.kudi.customers["free"]
    with organization_context(world.kudi.organization.pk):
        old.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
        Customer.objects.filter(pk=lost.pk).update(bvn_encrypted=encrypt("22100000001"))
    old.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("rotate_encryption_keys", stdout=out, stderr=out)
    assert f"no key reads 1 of them. Ids: {lost.pk}" in out.getvalue()
    old.FIELD_ENCRYPTION_KEYS = [NEW]
    assert bvns(world.rival) == BVNS


def test_no_encrypted_column_is_forgotten() -> None:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.name.endswith("_encrypted") or field.name.startswith("sealed_"):
                assert field.name in COLUMNS.get(model, ()), (
                    f"{model._meta.label}.{field.name}: lendconsole/rotation.py"
                )
