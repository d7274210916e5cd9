import pytest
import yaml

from ecs_lab.errors import LaboratoryError
from ecs_lab.installation import rights
from ecs_lab.tenancy import SEED_ACCOUNT, as_yaml, project, secret


def _rendered(*kinds: str) -> str:
    return yaml.safe_dump_all([{"kind": kind, "metadata": {"name": kind.lower()}} for kind in kinds])


def test_rights_are_applied_and_the_deployment_is_not() -> None:
    kept = rights(_rendered("ClusterRole", "Deployment", "ServiceAccount", "Namespace", "ValidatingAdmissionPolicy"))

    assert [one["kind"] for one in kept] == ["Namespace", "ClusterRole", "ServiceAccount", "ValidatingAdmissionPolicy"]


def test_a_kind_nobody_thought_of_is_not_left_out_in_silence() -> None:
    with pytest.raises(LaboratoryError, match="unknown kind ValidatingWebhookConfiguration"):
        rights(_rendered("Namespace", "ValidatingWebhookConfiguration"))


def test_a_project_admits_all_namespaces_or_the_named_ones() -> None:
    everyone = project("lab", SEED_ACCOUNT, secret_name="lab-account", endpoint="http://127.0.0.1:1", default=True)
    one = project("t", SEED_ACCOUNT, secret_name="t", endpoint="http://127.0.0.1:1", namespaces=["t"], spec={"createIdempotency": "Settle"})

    assert everyone["spec"]["allowedNamespaces"] == {"from": "All"}
    assert everyone["spec"]["default"] is True
    assert one["spec"]["allowedNamespaces"] == {"from": "Names", "names": ["t"]}
    assert one["spec"]["createIdempotency"] == "Settle"


def test_the_password_is_in_the_secret_and_nowhere_else() -> None:
    definition = project("lab", SEED_ACCOUNT, secret_name="lab-account", endpoint="http://127.0.0.1:1")

    assert SEED_ACCOUNT.password not in as_yaml(definition)
    assert secret("lab-account", SEED_ACCOUNT)["stringData"]["password"] == SEED_ACCOUNT.password
