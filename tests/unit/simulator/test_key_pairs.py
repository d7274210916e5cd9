"""6.11: key pairs of a user, and the passwords that Windows servers make up."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_public_key,
)

from ecs_simulator.seed import default_seed
from ecs_simulator.world import World
from ecs_simulator.world.resources import Server
from tests.unit.simulator.stage import NOWHERE, WINDOWS, Stage, request

OTHER_USER = "0123456789abcdef0123456789abcdef"
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
BLOB = ED25519.split()[1]


def create(stage: Stage, name: str = "k", **fields: Any) -> Any:
    return stage.call("createKeyPair", {"keypair": {"name": name, **fields}}).body["keypair"]


def code(stage: Stage, version: tuple[int, int] | None = (2, 26), **fields: Any) -> tuple[int, str]:
    return stage.code("createKeyPair", {"keypair": fields}, version=version)


def names(stage: Stage, **more: Any) -> list[str]:
    return [row["keypair"]["name"] for row in stage.call("listKeyPairs", **more).body["keypairs"]]


def private(pem: str) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


class TestCreating:
    def test_a_real_key_is_made_and_its_private_half_told_once(self, stage: Stage) -> None:
        made = create(stage)
        assert made["private_key"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
        assert made["public_key"].endswith(" Generated-by-Nova\n")
        key = private(made["private_key"])
        assert key.key_size == 2048
        public = load_ssh_public_key(made["public_key"].encode())
        assert isinstance(public, rsa.RSAPublicKey)
        assert public.public_numbers() == key.public_key().public_numbers()
        shown = stage.call("showKeyPair", keypair_name="k").body["keypair"]
        assert "private_key" not in shown
        assert (shown["public_key"], shown["user_id"]) == (made["public_key"], next(iter(stage.project.users)))
        assert made["private_key"] not in str(stage.world.to_json())

    def test_the_fingerprint_is_that_of_the_key(self, stage: Stage) -> None:
        digest = hashlib.md5(base64.b64decode(BLOB), usedforsecurity=False).hexdigest()
        imported = create(stage, public_key=f"{ED25519} somebody@somewhere")
        assert imported["fingerprint"].replace(":", "") == digest
        assert (len(imported["fingerprint"]), "private_key" in imported) == (47, False)

    @pytest.mark.parametrize(
        ("name", "public_key"),
        [
            ("one word", "nonsense"),
            ("no base64", "ssh-rsa ???"),
            ("an unknown type", f"ssh-foo {BLOB}"),
            ("another type than it says", f"ssh-rsa {BLOB}"),
            ("cut off", ED25519[:-8]),
            ("empty inside", "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\0").decode()),
            ("nothing inside", "ssh-ed25519 "),
            ("endless", f"{ED25519} {'x' * 65536}"),
            ("two keys at once", f"{ED25519}{ED25519}"),
        ],
    )
    def test_what_is_no_public_key(self, stage: Stage, name: str, public_key: str) -> None:
        assert code(stage, name="k", public_key=public_key)[0] == 400, name
        assert names(stage) == ["ops"]

    @pytest.mark.parametrize(
        ("name", "allowed"),
        [
            *((name, True) for name in ("KeyPair-123", "a b_c-9", "k" * 255)),
            *((name, False) for name in ("", " a", "a ", "k" * 256, "a/b", "a.b", "\u00fc", "a\nb", 7, None)),
        ],
    )
    def test_names(self, stage: Stage, name: Any, allowed: bool) -> None:  # noqa: FBT001
        if allowed:
            assert create(stage, name, public_key=ED25519)["name"] == name
        else:
            assert code(stage, name=name, public_key=ED25519)[0] == 400

    def test_a_name_is_given_once(self, stage: Stage) -> None:
        assert code(stage, name="ops", public_key=ED25519)[0] == 409
        create(stage, "k", public_key=ED25519)
        assert code(stage, name="k")[0] == 409

    def test_quota(self, stage: Stage) -> None:
        stage.world.set_project(stage.project.id, quota={"keyPairs": 2})
        create(stage, public_key=ED25519)
        assert code(stage, name="more", public_key=ED25519) == (403, "Ecs.0001")
        stage.call("deleteKeyPair", keypair_name="ops")
        create(stage, "more", public_key=ED25519)

    @pytest.mark.parametrize("body", [{}, {"keypair": None}, {"keypair": []}, {"keypair": {"name": "k", "type": "rsa"}}])
    def test_bodies(self, stage: Stage, body: Any) -> None:
        assert stage.refused("createKeyPair", body).status == 400

    def test_certificates(self, stage: Stage) -> None:
        made = create(stage, type="x509")
        certificate = x509.load_pem_x509_certificate(made["public_key"].encode())
        assert certificate.public_key() == private(made["private_key"]).public_key()
        assert certificate.not_valid_before_utc.timestamp() == int(stage.world.now())
        der = certificate.public_bytes(Encoding.DER)
        assert made["fingerprint"].replace(":", "") == hashlib.sha1(der, usedforsecurity=False).hexdigest()
        imported = create(stage, "again", type="x509", public_key=made["public_key"])
        assert (imported["fingerprint"], imported["type"]) == (made["fingerprint"], "x509")
        assert code(stage, name="no", type="x509", public_key=ED25519)[0] == 400


class TestMicroversions:
    @pytest.mark.parametrize(
        ("version", "created", "deleted", "has_type"),
        [(None, 200, 202, False), ((2, 1), 200, 202, False), ((2, 2), 201, 204, True), ((2, 46), 201, 204, True)],
    )
    def test_statuses_and_types(self, stage: Stage, version: Any, created: int, deleted: int, has_type: bool) -> None:  # noqa: FBT001
        reply = stage.call("createKeyPair", {"keypair": {"name": "k", "public_key": ED25519}}, version=version)
        assert (reply.status, "type" in reply.body["keypair"]) == (created, has_type)
        rows = stage.call("listKeyPairs", version=version).body["keypairs"]
        assert ["type" in row["keypair"] for row in rows] == [has_type, has_type]
        assert ("type" in stage.call("showKeyPair", version=version, keypair_name="k").body["keypair"]) is has_type
        assert stage.call("deleteKeyPair", version=version, keypair_name="k").status == deleted
        assert stage.refused("deleteKeyPair", version=version, keypair_name="k").status == 404

    def test_fields_before_their_time(self, stage: Stage) -> None:
        user = next(iter(stage.project.users))
        assert code(stage, (2, 1), name="k", public_key=ED25519, type="ssh")[0] == 400
        assert code(stage, (2, 9), name="k", public_key=ED25519, user_id=user)[0] == 400
        assert code(stage, (2, 10), name="k", public_key=ED25519, user_id=OTHER_USER)[0] == 403
        fields = {"name": "k", "public_key": ED25519, "user_id": user, "type": "ssh"}
        assert stage.call("createKeyPair", {"keypair": fields}, version=(2, 10)).status == 201
        ignored = {"name": "l", "public_key": ED25519, "type": "x509", "user_id": OTHER_USER}
        row = stage.call("createKeyPair", {"keypair": ignored}, version=None).body["keypair"]
        assert (row["user_id"], row["fingerprint"].count(":")) == (user, 15), "without microversions they mean nothing"

    @pytest.mark.parametrize("name", ["listKeyPairs", "showKeyPair", "deleteKeyPair"])
    def test_another_user(self, stage: Stage, name: str) -> None:
        path: dict[str, Any] = {} if name == "listKeyPairs" else {"keypair_name": "ops"}
        query = {"user_id": OTHER_USER}
        assert stage.refused(name, query=query, version=(2, 10), **path).status == 403
        assert stage.call(name, query=query, version=(2, 9), **path).status in {200, 204}

    def test_pages(self, stage: Stage) -> None:
        for name in "cab":
            create(stage, name, public_key=ED25519)
        assert names(stage, version=(2, 34), query={"limit": "2", "marker": "nobody"}) == ["a", "b", "c", "ops"]
        first = stage.call("listKeyPairs", version=(2, 35), query={"limit": "2"}).body
        assert [row["keypair"]["name"] for row in first["keypairs"]] == ["a", "b"]
        (link,) = first["keypairs_links"]
        assert (link["rel"], link["href"].endswith("os-keypairs?limit=2&marker=b")) == ("next", True)
        assert names(stage, version=(2, 35), query={"limit": "2", "marker": "b"}) == ["c", "ops"]
        assert stage.call("listKeyPairs", version=(2, 35), query={"limit": "2", "marker": "ops"}).body == {"keypairs": []}
        assert stage.refused("listKeyPairs", version=(2, 35), query={"marker": "nobody"}).status == 400


def test_rows(stage: Stage) -> None:
    row = stage.call("showKeyPair", keypair_name="ops").body["keypair"]
    assert row.keys() == {
        *("created_at", "deleted", "deleted_at", "fingerprint", "id", "name", "public_key", "updated_at", "user_id", "type"),
    }
    assert (row["deleted"], row["deleted_at"], row["id"], row["type"]) == (False, None, 1, "ssh")
    listed = stage.call("listKeyPairs").body["keypairs"][0]["keypair"]
    assert listed == {key: row[key] for key in ("name", "fingerprint", "public_key", "type")}
    assert load_ssh_public_key(row["public_key"].encode()), "the seed's key is a real one"


def test_each_user_has_his_own(stage: Stage) -> None:
    seed = default_seed()
    project = seed["projects"][0]
    first = project["users"][0]["id"]
    project["users"].append({"id": OTHER_USER, "name": "second", "password": "Lab-Passw0rd!"})
    project["keyPairs"].append({"name": "ops", "userId": OTHER_USER, "publicKey": ED25519})
    stage = Stage(World.from_seed(seed))
    create(stage, public_key=ED25519)
    stage.project.users = {OTHER_USER: stage.project.users[OTHER_USER], first: stage.project.users[first]}
    assert names(stage) == ["ops"], "the second user is the one who calls now"
    assert stage.call("showKeyPair", keypair_name="ops").body["keypair"]["public_key"] == ED25519
    assert stage.refused("showKeyPair", keypair_name="k").status == 404
    assert stage.refused("deleteKeyPair", keypair_name="k").status == 404
    create(stage, public_key=ED25519)
    assert stage.server(key_name="k")
    stage.call("deleteKeyPair", keypair_name="k")
    again = World.from_json(stage.world.to_json()).projects[stage.project.id]
    assert again.key_pair(first, "k") is not None
    assert again.key_pair(OTHER_USER, "k") is None


@pytest.mark.parametrize(
    "row",
    [{"name": "ops"}, {"name": "k", "userId": "nobody"}, {"name": "k", "publicKey": "ssh-rsa nonsense"}],
    ids=["twice", "of nobody", "no key"],
)
def test_seeds_that_are_wrong(row: dict[str, str]) -> None:
    seed = default_seed()
    seed["projects"][0]["keyPairs"].append(row)
    with pytest.raises(ValueError, match="projects"):
        World.from_seed(seed)


def test_the_ledger_and_servers_made_with_a_key(stage: Stage) -> None:
    create(stage, public_key=ED25519)
    server_id = stage.server(key_name="k")
    stage.call("deleteKeyPair", keypair_name="k")
    assert stage.show(server_id)["key_name"] == "k"
    assert stage.code("createServers", {"server": {"key_name": "k"}})[0] == 400
    assert [(entry["action"], entry["id"]) for entry in stage.entries(resource="key_pair")] == [("create", "k"), ("delete", "k")]


class TestPasswords:
    def windows(self, stage: Stage, key_name: str) -> Server:
        return stage.project.servers[stage.server(imageRef=WINDOWS, key_name=key_name)]

    def password(self, stage: Stage, server: Server) -> str:
        found: str = stage.call("showServerPassword", server_id=server.id).body["password"]
        return found

    def test_a_life(self, stage: Stage) -> None:
        key = private(create(stage)["private_key"])
        reply = stage.call("createServers", request(imageRef=WINDOWS, key_name="k"))
        stage.pass_time(290)
        server = stage.project.servers[reply.body["serverIds"][0]]
        assert (server.status, self.password(stage, server)) == ("ACTIVE", ""), "too early"
        stage.pass_time(20)
        sealed = self.password(stage, server)
        opened = key.decrypt(base64.b64decode(sealed), padding.PKCS1v15()).decode()
        assert len(opened) == 20
        assert opened not in str(stage.world.to_json()), "nobody else knows it"
        assert stage.call("clearServerPassword", server_id=server.id).status == 204
        assert self.password(stage, server) == ""
        assert stage.call("clearServerPassword", server_id=server.id).status == 204
        assert [entry["fields"] for entry in stage.entries("update")] == [["password"]]

    def test_who_has_none(self, stage: Stage) -> None:
        create(stage)
        create(stage, "other", public_key=ED25519)
        create(stage, "winrm", type="x509")
        assert self.password(stage, self.windows(stage, "k")) != ""
        assert self.password(stage, self.windows(stage, "other")) == "", "Cloudbase-init seals with RSA only"
        assert self.password(stage, self.windows(stage, "winrm")) == ""
        assert self.password(stage, stage.project.servers[stage.server(key_name="k")]) == "", "Linux"

    def test_a_long_key_does_not_get_into_the_server(self, stage: Stage) -> None:
        public = create(stage)["public_key"].strip()
        for extra, expected in ((1024, True), (1025, False)):
            name = f"k{extra}"
            create(stage, name, public_key=f"{public} {'x' * (extra - len(public) - 1)}")
            assert (self.password(stage, self.windows(stage, name)) != "") is expected

    @pytest.mark.parametrize("name", ["showServerPassword", "clearServerPassword"])
    def test_a_server_that_is_not_there(self, stage: Stage, name: str) -> None:
        assert stage.code(name, server_id=NOWHERE) == (404, "Ecs.0114")


def test_a_world_starts_without_cryptography() -> None:
    """It takes longer to load than all the rest of a small world."""
    script = "import sys; from ecs_simulator.simulator import Simulator; from ecs_simulator.world import World; World.from_seed()"
    check = f"{script}; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_system_that_is_installed_anew_has_another_password(stage: Stage) -> None:
    key = private(create(stage)["private_key"])
    server = stage.project.servers[stage.server(imageRef=WINDOWS, key_name="k")]
    found = set()
    for name, body in (
        ("rebuildServer", {"rebuild": {"imageRef": WINDOWS}}),
        ("reinstallServer", {"os-reinstall": {"keyname": "k", "userid": server.user_id}}),
    ):
        found.add(server.password)
        stage.world.set_server(server.id, "stop")
        stage.call(name, body, server_id=server.id)
        stage.pass_time(200)
        assert stage.call("showServerPassword", server_id=server.id).body == {"password": ""}, "too early"
        stage.pass_time(300)
        sealed = stage.call("showServerPassword", server_id=server.id).body["password"]
        found.add(sealed)
        assert len(key.decrypt(base64.b64decode(sealed), padding.PKCS1v15())) == 20
    assert len(found) == 3
