import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from ecs_lab.certificates import credentials

_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_the_serving_certificate_is_the_authority_s_for_loopback(tmp_path: Path) -> None:
    made = credentials(tmp_path / "pki", now=_NOW)

    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    serving = x509.load_pem_x509_certificate(made.serving_certificate.read_bytes())
    names = serving.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    serving.verify_directly_issued_by(authority)
    assert ipaddress.ip_address("127.0.0.1") in names.get_values_for_type(x509.IPAddress)
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert serving.not_valid_before_utc < _NOW < serving.not_valid_after_utc
    key = load_pem_private_key(made.serving_key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == serving.public_key()


def test_the_key_pair_for_service_accounts_belongs_together(tmp_path: Path) -> None:
    made = credentials(tmp_path / "pki", now=_NOW)

    private = load_pem_private_key(made.account_private_key.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.public_key() == load_pem_public_key(made.account_public_key.read_bytes())


def test_private_keys_are_for_the_user_only_and_stay(tmp_path: Path) -> None:
    made = credentials(tmp_path / "pki", now=_NOW)
    before = made.account_private_key.read_bytes()

    again = credentials(tmp_path / "pki")

    assert again.account_private_key.read_bytes() == before
    assert {made.serving_key.stat().st_mode & 0o777, made.account_private_key.stat().st_mode & 0o777} == {0o600}
