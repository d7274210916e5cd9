"""Key pairs and passwords (ECS API reference 6.11)."""

from __future__ import annotations

from pydantic import Field

from ecs_operator.cloud.models.catalog import Links
from ecs_operator.cloud.models.wire import Answer, MaybeNumber, Text


class KeyPair(Answer):
    """A key pair: its public half. ``type`` is ``ssh`` or ``x509``; ``id`` and ``created_at`` come from 6.11.2 only."""

    name: str
    public_key: Text = ""
    fingerprint: Text = ""
    type: Text = "ssh"
    user_id: Text = ""
    id: MaybeNumber = None
    created_at: Text = ""


class NewKeyPair(KeyPair):
    """A key pair that was just made. ``private_key`` (PEM) is told this once, and empty if the public half was handed over."""

    private_key: Text = Field(default="", repr=False)


class KeyPairAnswer(Answer):
    """The answer of 6.11.2."""

    keypair: KeyPair


class NewKeyPairAnswer(Answer):
    """The answer of 6.11.3."""

    keypair: NewKeyPair


class KeyPairPage(Answer):
    """One page of 6.11.1."""

    keypairs: tuple[KeyPairAnswer, ...]
    keypairs_links: Links = ()


class SealedPassword(Answer):
    """The answer of 6.11.5: a password in base64, encrypted with the public key of the server's key pair. Empty if there is none."""

    password: Text = Field(default="", repr=False)
