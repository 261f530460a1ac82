"""A SAML identity provider of pysaml2's, with keys of its own. pysaml2 signs by a program of the system; here it signs
by the same library in this process."""

from __future__ import annotations

import base64
import logging
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree  # ty: ignore[missing-module-member] -- compiled, without a description of its types
from xmlsec import Key, SignatureContext, constants, tree

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from saml2 import BINDING_HTTP_REDIRECT
    from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
    from saml2.config import IdPConfig
    from saml2.saml import NAMEID_FORMAT_PERSISTENT, NAMEID_FORMAT_TRANSIENT, NameID
    from saml2.server import Server
    from saml2.sigver import CryptoBackend
    from saml2.xmldsig import DIGEST_SHA1, DIGEST_SHA256, SIG_RSA_SHA1, SIG_RSA_SHA256


class _InProcess(CryptoBackend):
    """Signs what pysaml2 has laid out, by libxmlsec in this process."""

    @property
    def version(self) -> str:
        return "1.3.0"

    def sign_statement(self, statement: Any, node_name: str, key_file: str, node_id: str) -> str:
        document = etree.fromstring(statement if isinstance(statement, bytes) else str(statement).encode())
        tree.add_ids(document, ["ID"])
        node = next(each for each in document.iter() if each.get("ID") == node_id)
        context = SignatureContext()
        context.key = Key.from_file(key_file, constants.KeyDataFormatPem)
        context.sign(tree.find_child(node, constants.NodeSignature))
        return etree.tostring(document).decode()


@dataclass
class SamlProvider:
    """An identity provider that knows us by our metadata."""

    server: Server
    entity_id: str
    sign_in_url: str
    certificate: str

    def answer(
        self,
        request: str,
        *,
        subject: str,
        email: str,
        in_response_to: str = "",
        consumer: str = "",
        audience: str = "",
        signs: bool = True,
        transient: bool = False,
        by_sha1: bool = False,
    ) -> str:
        """The answer to a request as it is posted, in base 64: by default as it should be."""
        asked = self.server.parse_authn_request(request, BINDING_HTTP_REDIRECT).message
        arguments = self.server.response_args(asked)
        response = self.server.create_authn_response(
            identity={"mail": [email], "displayName": [subject.capitalize()]},
            userid=subject,
            name_id=NameID(
                format=NAMEID_FORMAT_TRANSIENT if transient else NAMEID_FORMAT_PERSISTENT, text=f"id-of-{subject}"
            ),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.entity_id},
            sign_assertion=signs,
            sign_response=False,
            sign_alg=SIG_RSA_SHA1 if by_sha1 else SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA1 if by_sha1 else DIGEST_SHA256,
            in_response_to=in_response_to or arguments["in_response_to"],
            destination=consumer or arguments["destination"],
            sp_entity_id=audience or arguments["sp_entity_id"],
        )
        return base64.b64encode(str(response).encode()).decode()


def saml_provider(folder: Path, metadata: str, port: int = 9) -> SamlProvider:
    """A provider, with new keys in `folder`, that knows whoever `metadata` describes."""
    logging.getLogger("saml2").setLevel(logging.CRITICAL)
    entity_id, sign_in_url = f"http://localhost:{port}/idp", f"http://localhost:{port}/sso?tenant=a&b=c"
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate = signed.public_bytes(serialization.Encoding.PEM).decode()
    key_file, certificate_file = folder / "idp.key", folder / "idp.pem"
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    certificate_file.write_text(certificate)
    config = IdPConfig()
    config.load(
        {
            "entityid": entity_id,
            "xmlsec_binary": "/bin/true",  # asked for, and never run
            "key_file": str(key_file),
            "cert_file": str(certificate_file),
            "metadata": {"inline": [metadata]},
            "service": {
                "idp": {
                    "endpoints": {"single_sign_on_service": [(sign_in_url, BINDING_HTTP_REDIRECT)]},
                    "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                }
            },
        }
    )
    server = Server(config=config)
    setattr(server.sec, "crypto", _InProcess())  # noqa: B010 -- declared by pysaml2 as what it never is
    return SamlProvider(server, entity_id, sign_in_url, certificate)
