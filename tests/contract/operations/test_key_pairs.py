"""ECS API reference 6.11: key pairs and passwords, there and back."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_public_key

from ecs_operator.cloud import CloudError, Meaning, Outcome
from tests.contract.stage import PROJECT, Lab

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
OWN_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop somebody"


def private_half(pem: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


@pytest.mark.operation("6.11.1", "6.11.2", "6.11.3", "6.11.4")
async def test_a_life(lab: Lab) -> None:
    async with lab.client() as client:
        made = await client.key_pairs.create("my key")
        key, public = private_half(made.private_key), load_ssh_public_key(made.public_key.encode())
        assert isinstance(public, RSAPublicKey)
        assert public.public_numbers() == key.public_key().public_numbers()
        handed_over = await client.key_pairs.create("own", public_key=OWN_KEY)
        assert (handed_over.private_key, handed_over.public_key, handed_over.type) == ("", OWN_KEY, "ssh")
        assert [pair.name for pair in await client.key_pairs.list()] == ["my key", "ops", "own"]
        shown = await client.key_pairs.get("my key")
        assert (shown.fingerprint, shown.user_id, shown.id) == (made.fingerprint, made.user_id, 2)
        assert shown.created_at
        with pytest.raises(CloudError) as caught:
            await client.key_pairs.create("own")
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.CONFLICT)
        server_id = await lab.server(client, key_name="my key")
        await client.key_pairs.delete("my key")
        assert (await client.servers.get(server_id)).key_name == "my key"
        with pytest.raises(CloudError) as caught:
            await client.key_pairs.get("my key")
        assert caught.value.meaning is Meaning.NOT_FOUND
        with pytest.raises(CloudError, match="my key"):
            await lab.server(client, key_name="my key")
    requests = (await lab.ask("requests"))["requests"]
    assert "PRIVATE" not in str(requests)


@pytest.mark.operation("6.11.1", "6.11.3")
async def test_many(lab: Lab) -> None:
    """More than the cloud shows at a time."""
    async with lab.client() as client:
        for number in range(1001):
            await client.key_pairs.create(f"k{number:04}", public_key=OWN_KEY)
        assert [pair.name for pair in await client.key_pairs.list()] == [*(f"k{number:04}" for number in range(1001)), "ops"]


@pytest.mark.operation("6.11.3")
async def test_quota_and_certificates(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"quota": {"keyPairs": 2}})
    async with lab.client() as client:
        made = await client.key_pairs.create("winrm", key_type="x509")
        assert made.public_key.startswith("-----BEGIN CERTIFICATE-----")
        assert private_half(made.private_key).key_size == 2048
        with pytest.raises(CloudError) as caught:
            await client.key_pairs.create("more")
        assert (caught.value.status, caught.value.meaning) == (403, Meaning.QUOTA)
        with pytest.raises(CloudError) as caught:
            await client.key_pairs.create("theirs", user_id="somebody")
        assert (caught.value.status, caught.value.meaning) == (403, Meaning.FORBIDDEN)


@pytest.mark.operation("6.11.5", "6.11.6")
async def test_the_password_of_a_windows_server(lab: Lab) -> None:
    async with lab.client() as client:
        key = private_half((await client.key_pairs.create("mine")).private_key)
        server_id = await lab.server(client, image_ref=WINDOWS, key_name="mine")
        assert (await client.passwords.get(server_id)).password == "", "too early"
        await lab.advance(600)
        sealed = await client.passwords.get(server_id)
        assert len(key.decrypt(base64.b64decode(sealed.password), PKCS1v15())) == 20
        await client.passwords.clear(server_id)
        assert (await client.passwords.get(server_id)).password == ""
        linux = await lab.server(client, name="linux", key_name="mine")
        await lab.advance(600)
        assert (await client.passwords.get(linux)).password == ""
