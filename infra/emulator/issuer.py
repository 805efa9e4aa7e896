"""Serves the documents that a stack reads from the internet: the OpenID configuration and keys of an
identity provider, and a watchlist. It uses HTTPS on the loopback interface, with a certificate of an
authority that is created for this run.

Writes to FOLDER: signing-key.pem, with which the suite signs tokens; ca.pem, the certificate of the
authority; and issuer.json, the address of the server. Serves list.csv of FOLDER as /list.csv.
"""

import argparse
import base64
import datetime
import http.server
import ipaddress
import json
import pathlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Id of the key in the tokens of the suite.
KEY_ID = "local"


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signing_key(folder):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "signing-key.pem").write_bytes(pem(key))
    numbers = key.public_key().public_numbers()

    def encoded(number):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    return {
        "kid": KEY_ID,
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "n": encoded(numbers.n),
        "e": encoded(numbers.e),
    }


def certificate(folder):
    """Creates an authority, and a server certificate that it signs. They are two certificates, because
    some clients reject a server certificate that is also an authority."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def create(name, issuer, key, signed_by, extensions):
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signed_by, hashes.SHA256())

    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    usage = dict.fromkeys(
        [
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
            "digital_signature",
            "key_cert_sign",
            "crl_sign",
        ],
        False,
    )
    authority = create(
        "emulator authority",
        "emulator authority",
        authority_key,
        authority_key,
        [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.KeyUsage(**{**usage, "key_cert_sign": True, "crl_sign": True}), True),
            (key_id, False),
        ],
    )
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    server = create(
        "emulator issuer",
        "emulator authority",
        key,
        authority_key,
        [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (x509.KeyUsage(**{**usage, "digital_signature": True}), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName([loopback]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), False),
        ],
    )
    encoding = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(encoding))
    (folder / "server.pem").write_bytes(pem(key) + server.public_bytes(encoding))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"keys": [signing_key(folder)]}
    certificate(folder)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            documents = {
                "/.well-known/openid-configuration": lambda: (
                    "application/json",
                    json.dumps({"issuer": url, "jwks_uri": f"{url}/jwks.json"}).encode(),
                ),
                "/jwks.json": lambda: ("application/json", json.dumps(keys).encode()),
                "/list.csv": lambda: ("text/csv", (folder / "list.csv").read_bytes()),
            }
            document = documents.get(self.path)
            if document is None:
                self.send_error(404)
                return
            kind, body = document()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_address[1]}"
    (folder / "issuer.json").write_text(json.dumps({"url": url}))
    server.serve_forever()


if __name__ == "__main__":
    main()
