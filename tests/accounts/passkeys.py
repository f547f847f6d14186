"""A passkey in software: what a browser and its device would answer."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from accounts.templatetags.accounts import as_json

PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Passkey:
    def __init__(self) -> None:
        self.id = secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.user_handle = ""

    def register(self, options: dict[str, Any]) -> str:
        self.user_handle = options["publicKey"]["user"]["id"]
        public_key = ES256.from_cryptography_key(self.key.public_key())
        data = AuthenticatorData.create(
            _relying_party(),
            PRESENT_AND_VERIFIED | AuthenticatorData.FLAG.AT,
            0,
            AttestedCredentialData.create(Aaguid.NONE, self.id, public_key),
        )
        return self._answer(
            clientDataJSON=websafe_encode(_client_data("webauthn.create", options)),
            attestationObject=websafe_encode(AttestationObject.create("none", data, {})),
        )

    def sign(self, options: dict[str, Any], *, origin: str = "") -> str:
        client_data = _client_data("webauthn.get", options, origin)
        data = AuthenticatorData.create(_relying_party(), PRESENT_AND_VERIFIED, 0)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=websafe_encode(client_data),
            authenticatorData=websafe_encode(data),
            signature=websafe_encode(signature),
            userHandle=self.user_handle,
        )

    def _answer(self, **response: str) -> str:
        name = websafe_encode(self.id)
        extensions = {"credProps": {"rk": True}}
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "clientExtensionResults": extensions,
                "response": response,
            }
        )


def _relying_party() -> bytes:
    return hashlib.sha256((urlsplit(settings.BASE_URL).hostname or "").encode()).digest()


def _client_data(kind: str, options: dict[str, Any], origin: str = "") -> bytes:
    challenge = options["publicKey"]["challenge"]
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin or settings.BASE_URL}).encode()


def plain(options: Any) -> dict[str, Any]:
    """The options as the page carries them."""
    read: dict[str, Any] = json.loads(as_json(options))
    return read


def register(client: Client, passkey: Passkey, *, name: str = "Phone") -> None:
    options = plain(client.get("/accounts/2fa/passkeys/add/").context["js_data"]["creation_options"])
    data = {"name": name, "passwordless": "on", "credential": passkey.register(options)}
    assert client.post("/accounts/2fa/passkeys/add/", data).status_code == 302


def offered(client: Client) -> dict[str, Any]:
    """What the sign-in page asks a passkey to sign."""
    answer = client.get("/accounts/2fa/passkeys/login/", headers={"Accept": "application/json"}).json()
    options: dict[str, Any] = answer["request_options"]
    return options
