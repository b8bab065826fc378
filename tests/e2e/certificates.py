"""Certificates for tests, made by the openssl command."""

import subprocess


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    def __init__(self, directory, name="authority"):
        self.directory = directory
        self.certificate, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", self._key, "-out", self.certificate, "-subj", f"/CN={name}", "-days", 2)

    def issue(self, name, days=1):
        """(certificate, key) for a name, of 127.0.0.1 and 127.0.0.2 as well."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text("subjectAltName=IP:127.0.0.1,IP:127.0.0.2,DNS:localhost\n")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                 "-out", certificate, "-days", days, "-extfile", extensions)
        return certificate, key
