"""Signed with a certificate made here, and read back by the library: who signed, and that nothing was changed."""

from __future__ import annotations

import datetime
from pathlib import Path, PurePath

import pytest
from PIL import Image

c2pa = pytest.importorskip("c2pa", reason="the package c2pa-python is not installed")
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

from lib_photoshoot.errors import ExportError  # noqa: E402
from lib_photoshoot.export.exporter import Exporter  # noqa: E402
from lib_photoshoot.export.profile import load_profile  # noqa: E402
from lib_photoshoot.export.provenance import metadata_of, source_of  # noqa: E402
from lib_photoshoot.export.signing import Signer  # noqa: E402
from lib_photoshoot.provenance.terms import DigitalSource  # noqa: E402
from tests.export.conftest import INFOTEXT, cutout, save_cutout  # noqa: E402

PEM = serialization.Encoding.PEM
USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject: str, issuer: str, public, signer, authority: bool) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    uses = ("key_cert_sign", "crl_sign") if authority else ("digital_signature",)
    builder = (
        x509.CertificateBuilder(named(issuer), named(subject))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.BasicConstraints(authority, None), True)
        .add_extension(x509.KeyUsage(**{use: use in uses for use in USES}), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate with its authority's behind it, and its key."""
    folder = tmp_path_factory.mktemp("pems")
    root, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = certificate("A shop", "An authority", key.public_key(), root, False).public_bytes(PEM)
    chain += certificate("An authority", "An authority", root.public_key(), root, True).public_bytes(PEM)
    (folder / "chain.pem").write_bytes(chain)
    plain = (serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(PEM, *plain))
    return folder / "chain.pem", folder / "key.pem"


@pytest.mark.parametrize("profile", ["google-merchant", "transparent"])
def test_an_export_is_signed_and_names_what_it_was_made_from(tmp_path: Path, pems, profile: str) -> None:
    original = save_cutout(tmp_path / "a.png", infotext=INFOTEXT)
    exporter = Exporter(load_profile(profile), tmp_path / "out", signer=Signer(*pems))
    path = exporter.export(cutout(), PurePath("a"), source_of(original), original).path
    found = metadata_of(path)
    assert found.terms == ("trainedAlgorithmicMedia",) and found.manifest is not None
    assert found.manifest.terms == ("trainedAlgorithmicMedia",)
    assert "signed by A shop, and the file is as it was signed" in found.manifest.says
    with c2pa.Reader(path) as reader:
        manifest = reader.get_active_manifest()
    assert [item["relationship"] for item in manifest["ingredients"]] == ["parentOf"]
    Image.open(path).load()


def test_a_file_that_was_changed_since_is_told(tmp_path: Path, pems) -> None:
    exporter = Exporter(load_profile("transparent"), tmp_path, signer=Signer(*pems))
    path = exporter.export(cutout(), PurePath("a"), source_of(tmp_path / "none")).path
    data = bytearray(path.read_bytes())
    data[-60] ^= 1
    path.write_bytes(data)
    manifest = metadata_of(path).manifest
    assert manifest is not None and "but the file was changed since" in manifest.says
    assert source_of(path).source is DigitalSource.PHOTO


def test_what_cannot_sign_is_one_sentence(tmp_path: Path, pems) -> None:
    chain, key = pems
    for pair, words in (
        ((chain, chain), "no private key"),
        ((key, key), "cannot be signed"),
        ((tmp_path, key), "read"),
    ):
        with pytest.raises(ExportError, match=words):
            Signer(*pair)
