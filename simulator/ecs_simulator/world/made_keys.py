"""Making keys and sealing with them. Import it where that is done, not before: most worlds do without, and start faster so."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ecs_simulator.world import public_keys

_BITS = 2048
_LIFE = timedelta(days=3650)


def make() -> tuple[str, str]:
    """Return a new key pair: the private half in PEM, and the public one as Nova comments it."""
    key = _rsa()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return _pem(key), f"{public} Generated-by-Nova\n"


def make_certificate(user_id: str, *, now: float) -> tuple[str, str]:
    """Return a new key pair for WinRM: the private half in PEM, and a certificate that is good for ten years of the world's time."""
    key = _rsa()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id[:64])])
    start = datetime.fromtimestamp(now, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFE)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    return _pem(key), certificate.public_bytes(Encoding.PEM).decode()


def certificate_fingerprint(certificate: str) -> str:
    """Return the SHA-1 of an X.509 certificate in PEM, as Nova shows it; ValueError if it is none."""
    der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)
    return public_keys.colons(hashlib.sha1(der, usedforsecurity=False).digest())


def seal(public_key: str, secret: str) -> str | None:
    """Encrypt a text for the owner of an RSA key (PKCS #1 v1.5, base64), as Cloudbase-init does; None if the key is not fit for it."""
    kind, *numbers = public_keys.fields_of(public_key)
    if kind != b"ssh-rsa":
        return None
    exponent, modulus = (int.from_bytes(number, "big") for number in numbers)
    try:
        return base64.b64encode(RSAPublicNumbers(exponent, modulus).public_key().encrypt(secret.encode(), PKCS1v15())).decode()
    except ValueError:
        return None


def _rsa() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=_BITS)


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
