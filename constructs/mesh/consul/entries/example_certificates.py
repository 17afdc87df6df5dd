"""Certificates and private keys for the examples of rules.

The keys are published ones, which protect nothing: RFC 9500 (ECDSA), RFC 8410 (Ed25519) and the tests of Go's
``crypto/rsa`` (RSA of 1024 bits). They are kept without their PEM frame.
"""

from typing import Final


def _pem(label: str, content: str) -> str:
    lines = [content[start : start + _LINE] for start in range(0, len(content), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


_LINE: Final = 64

KEY: Final = _pem(
    "EC PRIVATE KEY",
    "MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSO"
    "kyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==",
)
"""An ECDSA key."""

KEY_ED25519: Final = _pem(
    "PRIVATE KEY",
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
)
"""A key of a kind that Envoy does not take."""

KEY_RSA_1024: Final = _pem(
    "RSA PRIVATE KEY",
    "MIICXQIBAAKBgQCw0YNSqI9T1VFvRsIOejZ9feiKz1SgGfbe9Xq5tEzt2yJCsbyg+xtcuCswNhdqY5A1ZN7G60HbL4/Hh/TlLhFJ4zNHVylz9m"
    "DDx3yp4IIcK2lb566dfTD0B5EQ9Iqub4twLUdLKQCBfyhmJJvsEqKxm4J4QWgI+Brh/Pm3d4piPwIDAQABAoGASC6fj6TkLfMNdYHLQqG9kOlP"
    "fys4fstarpZD7X+fUBJ/H/7y5DzeZLGCYAIU+QeAHWv6TfZIQjReW7Qy00RFJdgwFlTFRCsKXhG5x+IB+jL0Grr08KbgPPDgy4JmxirRHZVtU8"
    "lGbkiZX+omDIU28EHLNWL6rFEcTWao/tERspECQQDp2G5Nw0qYWn7HWm9Up1zkUTnkUkCzhqtxHbeRvNmHGKE7ryGMJEk2RmgHVstQpsvuFY4l"
    "IUSZEjAcDUFJERhFAkEAwZH6O1ULORp8sHKDdidyleYcZU8L7y9Y3OXJYqELfddfBgFUZeVQduRmJj7ryu0g0uurOTE+i8VnMg/ostxiswJBAO"
    "c64Dd8uLJWKa6uug+XPr91oi0nOFtM+xHrNK2jc+WmcSg3UJDnAI3uqMc5B+pERLq0Dc6hStehqHjUko3RnZECQEGZeRYWciE+Cre5dzfZkome"
    "XE0xBrhecV0bOq6EKWLSVE+yr6mAl05ThRK9DCfPSOpyF6rgN3QiyCA9J/1FluUCQQC5nX+PTU1FXx+6Ri2ZCi6EjEKMHr7gHcABhMinZYOtN5"
    "9pra9UdVQw9jxCU9G7eMyb0jJkNACAuEwakX3gi27b",
)
"""A key that is too short."""

CERTIFICATE: Final = _pem(
    "CERTIFICATE",
    "MIIBOzCB4aADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUwHhcNMjUwMTAxMDAwMDAwWhcNNDUwMTAxMDAwMDAwWjAbMR"
    "kwFwYDVQQDDBBzaG9wLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxF"
    "xbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcqMfMB0wGwYDVR0RBBQwEoIQc2hvcC5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNJAD"
    "BGAiEA/uz2F9HCaqt34j9lP6LWhQyKv3i6pCR1AYCFbPGjJ50CIQDs9xI8gLMya6Jdnfsnf5NXvhFsZqFo++IwozGbLMAZLw==",
)
"""The certificate of `KEY`, for shop.example.com."""

CERTIFICATE_OTHER: Final = _pem(
    "CERTIFICATE",
    "MIIBOTCB4aADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUwHhcNMjUwMTAxMDAwMDAwWhcNNDUwMTAxMDAwMDAwWjAbMR"
    "kwFwYDVQQDDBBzaG9wLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEeesDduKxNyOn7gmkUs8cXmgBgCQ5yXarbNRpr53"
    "Bm3yUb1kmYdor0YLHOsgaejWNKduaiveefydA7zh9pdiLaMfMB0wGwYDVR0RBBQwEoIQc2hvcC5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNHAD"
    "BEAiBSAZ5rpVv5+q3HiNYplSkQ6AulQjwem38LkD0QXC+1UgIgEF7zu1evgm3F4CCy+/MLFiGiup+1LE3hO3+FhGkQ6zc=",
)
"""The certificate of another key."""

CERTIFICATE_WITHOUT_NAME: Final = _pem(
    "CERTIFICATE",
    "MIIBITCByaADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUwHhcNMjUwMTAxMDAwMDAwWhcNNDUwMTAxMDAwMDAwWjAAMF"
    "kwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmr"
    "fpCkKklCcqMiMCAwHgYDVR0RAQH/BBQwEoIQc2hvcC5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNHADBEAiAbgUg8aX/ooJWN0hgc8SNJPQcIVN"
    "2VAuI6Ua4UwNgzwwIgOa3TT5Bi3QTQ6Iem6JW9eSvpgX10GNLaGWeAlK2g/MY=",
)
"""A certificate of `KEY` without common name."""

CERTIFICATE_ED25519: Final = _pem(
    "CERTIFICATE",
    "MIIBDDCBsqADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB2V4YW1wbGUwHhcNMjUwMTAxMDAwMDAwWhcNNDUwMTAxMDAwMDAwWjAbMR"
    "kwFwYDVQQDDBBzaG9wLmV4YW1wbGUuY29tMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuGjHzAdMBsGA1UdEQQU"
    "MBKCEHNob3AuZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSQAwRgIhAIP3norjNhyCM6LLM7WKa6oa1G/FtKs1hLauUWGCXBIOAiEA2O03+/Lnjr"
    "67VHTKowVA0tPvADLEfExZ/n4oNF9FN2M=",
)
"""The certificate of `KEY_ED25519`."""

CERTIFICATE_RSA_1024: Final = _pem(
    "CERTIFICATE",
    "MIIBgTCCASigAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdleGFtcGxlMB4XDTI1MDEwMTAwMDAwMFoXDTQ1MDEwMTAwMDAwMFowGz"
    "EZMBcGA1UEAwwQc2hvcC5leGFtcGxlLmNvbTCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAsNGDUqiPU9VRb0bCDno2fX3ois9UoBn23vV6"
    "ubRM7dsiQrG8oPsbXLgrMDYXamOQNWTexutB2y+Px4f05S4RSeMzR1cpc/Zgw8d8qeCCHCtpW+eunX0w9AeREPSKrm+LcC1HSykAgX8oZiSb7B"
    "KisZuCeEFoCPga4fz5t3eKYj8CAwEAAaMfMB0wGwYDVR0RBBQwEoIQc2hvcC5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNHADBEAiASWk5wrRfS"
    "tXEtZ50lZR3agubS278QgLMbQRBx8w9atQIgNTuQzwHXPaADoJ7rztyi4JtmThAnFnbn47bvUQ8jbAg=",
)
"""The certificate of `KEY_RSA_1024`."""
