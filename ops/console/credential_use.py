"""The lines that a client is enrolled with, as the manuals have them (docs/ca/acme.md, est.md, cmp.md, scep.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from ca.enrolment.models import Protocol


@dataclass(frozen=True, slots=True)
class Use:
    """One program's lines, to the letter those of the manual; `wildcard` where only they give names with a `*`."""

    program: str
    lines: str
    wildcard: bool = False


#: what the lines take from the shell. The secret is read and not written, so that no history of commands has it
SETUP: Mapping[Protocol, str] = {
    Protocol.ACME: "DIRECTORY={address}\nKID={id}\nNAME={name}\nread -r KEY",
    Protocol.EST: 'EST={address}\nTRUST=root.pem\nread -r PASSWORD\nLOGIN="{id}:$PASSWORD"',
    Protocol.CMP: "CMP={address}\nREFERENCE={id}\nread -r SECRET",
    Protocol.SCEP: "SCEP={address}\nread -r CHALLENGE",
}
LINES: Mapping[Protocol, tuple[Use, ...]] = {
    Protocol.ACME: (
        Use(
            "certbot",
            r"""REQUESTS_CA_BUNDLE=root.pem certbot certonly --non-interactive --agree-tos --email admin@example.gov.cn \
    --server $DIRECTORY --eab-kid $KID --eab-hmac-key $KEY \
    --standalone --preferred-challenges http --http-01-port 80 -d $NAME""",
        ),
        Use(
            "lego",
            r"""LEGO_CA_CERTIFICATES=root.pem lego --accept-tos --email admin@example.gov.cn --server $DIRECTORY \
    --eab --kid $KID --hmac $KEY --path lego --http --http.port :80 -d $NAME run""",
        ),
        Use(
            "lego (*)",
            r"""EXEC_PATH=./record.sh LEGO_CA_CERTIFICATES=root.pem lego --accept-tos --email admin@example.gov.cn --server $DIRECTORY \
    --eab --kid $KID --hmac $KEY --path lego --dns exec -d "*.$NAME" -d $NAME run""",
            wildcard=True,
        ),
    ),
    Protocol.EST: (
        Use(
            "strongSwan pki",
            """pki --estca --url "${EST%/.well-known/est}" --cacert "$TRUST" --caout authority.pem --outform pem
pki --gen --type ecdsa --size 256 --outform pem > device.key
pki --req --in device.key --type priv --dn "CN=device-17" --outform pem > device.csr
pki --est --url "${EST%/.well-known/est}" --in device.csr --cacert "$TRUST" --cacert authority.pem --userpass "$LOGIN" --outform pem > device.pem""",
        ),
        Use(
            "OpenSSL, curl",
            """openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -subj /CN=app.example.gov.cn -addext subjectAltName=DNS:app.example.gov.cn -outform DER -out server.csr
openssl base64 -in server.csr -out server.b64
curl --fail --silent --cacert "$TRUST" --user "$LOGIN" --header "Content-Type: application/pkcs10" --data-binary @server.b64 "$EST/simpleenroll" --output server.p7
openssl base64 -d -A -in server.p7 | openssl pkcs7 -inform DER -print_certs -out server.pem""",
        ),
    ),
    Protocol.CMP: (
        Use(
            "openssl cmp",
            """openssl ecparam -name prime256v1 -genkey -noout -out gateway.key
openssl cmp -cmd ir -server "$CMP" -ref "$REFERENCE" -secret "pass:$SECRET" -newkey gateway.key -subject "/CN=gateway-7" -certout gateway.pem -chainout chain.pem -cacertsout root.pem""",
        ),
    ),
    Protocol.SCEP: (
        Use(
            "strongSwan pki",
            """pki --scepca --url "$SCEP" --caout authority.pem --raout agent.pem --outform pem --force
pki --gen --type rsa --size 3072 --outform pem > device.key
pki --scep --url "$SCEP" --in device.key --dn "CN=device-21" --password "$CHALLENGE" --cacert-enc agent.pem --cacert-sig agent.pem --cacert authority.pem --cacert authority-1.pem --outform pem > device.pem""",
        ),
    ),
}
