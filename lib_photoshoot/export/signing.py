"""Sign finished pictures: a C2PA manifest with the user's own certificate, by c2pa-python.

The manifest names the picture that the export was made from as its parent, with the manifest that one may have, and the
IPTC term of what was made.
"""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from lib_photoshoot import __version__
from lib_photoshoot.errors import ExportError
from lib_photoshoot.files import shown
from lib_photoshoot.provenance.evidence import OriginEvidence
from lib_photoshoot.provenance.terms import TERMS

# Nothing is fetched but a time stamp that is asked for, and no small copy of the picture makes the file larger.
_SETTINGS = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


class Signer:
    """Signs with one certificate."""

    def __init__(self, certificate: Path, key: Path, timestamps: str | None = None) -> None:
        """``certificate`` and ``key`` are PEM files, the certificate's with the chain behind it; ``timestamps`` is the
        address of a time-stamping authority. Raises ExportError for what cannot be used."""
        try:
            import c2pa
            from cryptography.hazmat.primitives import serialization
        except (ImportError, OSError) as error:
            import sys

            raise ExportError(
                f'Signing needs the package c2pa-python, which is not installed; run: {sys.executable} -m pip install "'
                'c2pa-python>=0.38,<1"'
            ) from error
        chain = _read(certificate)
        try:
            private = serialization.load_pem_private_key(_read(key), None)
        except (ValueError, TypeError) as error:
            raise ExportError(
                f"{shown(key)} is no private key as PEM without a password; name another file."
            ) from error
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._library: Any = c2pa
        self._info = (_algorithm(private), chain, pem, timestamps)
        self._certificate = certificate
        self.sign(_sample(), "PNG", None, None)  # says now, and not with the first picture, what is wrong with it

    def sign(self, data: bytes, format_: str, evidence: OriginEvidence | None, parent: bytes | None) -> bytes:
        """Return a finished file's bytes, signed; ``parent`` is the file that it was made from. Raises ExportError."""
        c2pa = self._library
        mime = None if parent is None else _mime_of(parent)
        term = None if evidence is None else evidence.term
        action: dict[str, Any] = {"action": "c2pa.created" if mime is None else "c2pa.edited"}
        # Whoever creates must say from what; the specification has a word for "not told".
        if term is not None or mime is None:
            action["digitalSourceType"] = TERMS + term if term else "http://c2pa.org/digitalsourcetype/empty"
        manifest = {
            "claim_generator_info": [{"name": "product-photoshoot", "version": __version__}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
        }
        signed = io.BytesIO()
        try:
            context = c2pa.Context.from_dict(_SETTINGS)
            with c2pa.Builder(manifest, context) as builder:
                if parent is not None and mime is not None:
                    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                    builder.add_ingredient({"relationship": "parentOf"}, mime, io.BytesIO(parent))
                with c2pa.Signer.from_info(c2pa.C2paSignerInfo(*self._info)) as signer:
                    builder.sign(signer, Image.MIME[format_], io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            reason = " ".join(str(error).split())[:200]
            raise ExportError(
                f"The picture cannot be signed with {shown(self._certificate)} ({reason}); check certificate, chain "
                "and key, or export without signing."
            ) from error
        return signed.getvalue()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ExportError(f"{shown(path)} cannot be read ({error.strerror}); check path and permission.") from error


def _algorithm(key: Any) -> str:
    """C2PA's name of the algorithm for a private key."""
    curve = getattr(getattr(key, "curve", None), "name", None)
    if curve in _CURVES:
        return _CURVES[curve]
    return "ed25519" if "Ed25519" in type(key).__name__ else "ps256"


def _mime_of(data: bytes) -> str | None:
    """Return the MIME type of a picture file; None where Pillow does not know it."""
    with suppress(OSError), Image.open(io.BytesIO(data)) as image:
        return Image.MIME.get(image.format or "")
    return None


def _sample() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()
