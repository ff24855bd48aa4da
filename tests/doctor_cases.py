"""What the connection doctor says: cause -> sentence -> fix. Run as a program it prints the rows of docs/doctor.md."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from shopfloor.gateway.doctor import State


@dataclass(frozen=True)
class Case:
    """One cause: how it is produced (`name`), at which step it is found, and what is said."""

    name: str
    step: str
    why: str
    fix: str
    state: State = State.FAILED
    cause: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cause", self.cause or self.name)


def row(case: Case) -> str:
    """The case as a row of the page."""
    text = [case.why, case.fix]
    for name, example in EXAMPLES.items():
        text = [one.replace(f"{{{name}}}", example) for one in text]
    return f"| `{case.cause}` | {case.step} | {' | '.join(text)} |"


EXAMPLES = {
    "port": "4840", "thumbprint": "6D98…8B8B", "span": "2026-01-01 to 2027-01-01", "data": "DIR", "file": "FILE",
    "key": "KEY", "folder": "FOLDER", "end:%Y-%m-%d": "2026-01-01", "start:%Y-%m-%d %H:%M": "2027-01-01 06:00",
    "age": "3 min",
}  # fmt: skip
_URL = "opc.tcp://127.0.0.1:{port}/secure"
_NAME = "{thumbprint} (CN=server, valid {span})"
_LIKE = "Write it as in opc.tcp://192.168.0.10:4840."
NOTE = State.NOTE
CASES = [
    Case(
        "address-scheme",
        "address",
        "The address 'http://plc-17' begins with none of opc.tcp://, mqtt://, mqtts://, modbus://.",
        _LIKE,
    ),
    Case(
        "address-broken",
        "address",
        "The address 'opc.tcp://plc-17:99999' cannot be read: its port is no number from 1 to 65535.",
        _LIKE,
    ),
    Case(
        "address-password",
        "address",
        "The address holds a password.",
        "Leave it out of the address, and give 'user' and 'password_file'.",
    ),
    Case(
        "name-unknown",
        "name",
        "No machine on this network is called no-such-plc.invalid.",
        "Check the spelling, or write the IP address of the device.",
    ),
    Case(
        "port-refused",
        "port",
        "The machine 127.0.0.1 is there, and no program listens on its port {port}.",
        "Start the server on it, or correct the port in the address.",
    ),
    Case(
        "port-silent",
        "port",
        "Nothing came back from 127.0.0.1 port {port} within 1 s.",
        "Check that the device is on, the cable, the IP address, and any firewall between.",
    ),
    Case(
        "host-unreachable",
        "port",
        "This machine knows no way to 255.255.255.255.",
        "Check the IP address, and the network settings and gateway of this machine.",
    ),
    Case(
        "silent",
        "protocol",
        "Port {port} of 127.0.0.1 takes the connection and then says nothing.",
        "Restart the OPC UA server; if it stays so, another program has this port, or a firewall holds the answers"
        " back.",
    ),
    Case(
        "hangs-up",
        "protocol",
        "Port {port} of 127.0.0.1 takes the connection and hangs up at once.",
        "Look at the log of the OPC UA server; it may allow certain addresses only, or another program has this port.",
    ),
    Case(
        "speaks-http",
        "protocol",
        "Port {port} of 127.0.0.1 belongs to a web server, not to an OPC UA server.",
        "Take the port of the OPC UA server; a web page usually has another one.",
    ),
    Case(
        "speaks-ssh",
        "protocol",
        "Port {port} of 127.0.0.1 belongs to a remote terminal (SSH), not to an OPC UA server.",
        "Take the port of the OPC UA server; 22 is for the remote terminal.",
    ),
    Case(
        "speaks-mqtt",
        "protocol",
        "Port {port} of 127.0.0.1 belongs to an MQTT broker without encryption, not to an OPC UA server.",
        "Write mqtt:// in the address, or take the port of the OPC UA server.",
    ),
    Case(
        "speaks-tls",
        "broker",
        "Port {port} of 127.0.0.1 wants an encrypted connection (TLS).",
        "Write mqtts:// in the address, or take the port without encryption, usually 1883.",
    ),
    Case(
        "speaks-opcua",
        "broker",
        "Port {port} of 127.0.0.1 belongs to an OPC UA server, not to an MQTT broker.",
        "Write opc.tcp:// in the address, or take the port of the MQTT broker.",
    ),
    Case(
        "path-unknown",
        "protocol",
        "The server opc.tcp://127.0.0.1:{port} does not serve this path of the URL (BadTcpEndpointUrlInvalid).",
        "Ask its maker for the endpoint URL, or leave the path out.",
    ),
    Case(
        "policy-not-offered",
        "security",
        f"The server {_URL} does not offer the security Aes256Sha256RsaPss; it offers Basic256Sha256 SignAndEncrypt.",
        "Choose one of these as 'security', or switch it on at the server.",
    ),
    Case(
        "mode-not-offered",
        "security",
        f"The server {_URL} does not offer Basic256Sha256 with Sign; it offers Basic256Sha256 SignAndEncrypt.",
        "Choose one of these as 'mode', or switch it on at the server.",
    ),
    Case(
        "security-none",
        "security",
        "The connection has no security: everybody on the network can read and change what passes.",
        "Choose a 'security' of the offered ones.",
        NOTE,
    ),
    Case(
        "security-weak",
        "security",
        f"The security policy Basic256 of {_URL} can be broken today.",
        "Use Basic256Sha256 or better as soon as the server has it.",
        NOTE,
    ),
    Case(
        "server-certificate-unknown",
        "server certificate",
        f"The server {_URL} shows a certificate that is not trusted here: {_NAME}.",
        "Compare the thumbprint with the server's own, then run `shopfloor certificate approve {thumbprint} --data"
        " {data}`, or approve it on the connections page.",
    ),
    Case(
        "server-certificate-rejected",
        "server certificate",
        f"The certificate {_NAME} of the server {_URL} was rejected here.",
        "If that was a mistake, run `shopfloor certificate approve {thumbprint} --data {data}`.",
    ),
    Case(
        "server-certificate-expired",
        "server certificate",
        f"The certificate of the server {_URL} ended on {{end:%Y-%m-%d}}.",
        "Renew it at the server; if it is still good there, check the clock of this machine.",
    ),
    Case(
        "server-certificate-early",
        "server certificate",
        f"The certificate of the server {_URL} is valid only from {{start:%Y-%m-%d %H:%M}} UTC on.",
        "Set the clocks of the server and of this machine, then renew the server's certificate if it stays so.",
    ),
    Case(
        "server-certificate-host",
        "server certificate",
        f"The certificate of the server {_URL} is for plc-17, not for 127.0.0.1.",
        "Use that name in the URL, or name the certificate's file as 'server_certificate'.",
    ),
    Case(
        "server-certificate-uri",
        "server certificate",
        f"The server {_URL} says that it is urn:test:server, its certificate is for urn:other.",
        "Renew the certificate at the server, or name its file as 'server_certificate'.",
    ),
    Case(
        "server-certificate-revoked",
        "server certificate",
        f"The certificate {_NAME} of the server {_URL} was revoked by the authority that issued it.",
        "Give the server a new certificate.",
    ),
    Case(
        "server-certificate-other",
        "server certificate",
        f"The server {_URL} shows the certificate {_NAME}, which is not the one in {{file}}.",
        "If the server was renewed, put its new certificate there; if not, somebody else answers.",
    ),
    Case(
        "own-certificate",
        "own certificate",
        "This gateway's certificate {file} ended on {end:%Y-%m-%d}.",
        "Renew it, and let the server trust the new one.",
    ),
    Case(
        "own-certificate-other-key",
        "own certificate",
        "{key} is not the private key of {file}.",
        "Name the two files of one pair.",
        cause="own-certificate",
    ),
    Case(
        "own-certificate-ends",
        "own certificate",
        "This gateway's certificate {file} ends on {end:%Y-%m-%d}.",
        "Renew it, and let the server trust the new one.",
        NOTE,
    ),
    Case(
        "client-untrusted",
        "session",
        f"The server {_URL} does not trust this gateway's certificate (BadCertificateUntrusted).",
        "Approve it there; `shopfloor certificate own --data DIR` names its file.",
    ),
    Case(
        "login-needed",
        "login",
        f"The server {_URL} lets nobody in without a login, only a login by user name.",
        "Give 'user' and 'password_file', or 'user_certificate' and 'user_key'.",
    ),
    Case(
        "login-not-offered",
        "login",
        f"The server {_URL} takes no login by user name, only connections without a login.",
        "Use one of these, or allow user names at the server.",
    ),
    Case(
        "password-in-clear",
        "channel",
        f"The server {_URL} takes the password in a form that others can read, so it was not sent.",
        "Choose a 'security' other than none, or let the server encrypt passwords (its user token policy).",
    ),
    Case(
        "user-refused",
        "login",
        f"The server {_URL} does not accept this user (BadUserAccessDenied).",
        "Check 'user' and 'password_file' (or 'user_certificate'), and the rights of that user at the server.",
    ),
    Case(
        "too-many-sessions",
        "session",
        f"The server {_URL} has no free place for one more client (BadTooManySessions).",
        "Close another client, or raise its limit.",
    ),
    Case(
        "variables-unknown",
        "variables",
        "None of the variables that are asked for exist on the server.",
        "Compare their names and NodeIds with what `shopfloor browse` shows.",
    ),
    Case(
        "variable-unknown",
        "variables",
        "1 of 1 variables do not exist on the server, the first is ns=2;s=CNC-01.Lode.",
        "Correct the name or NodeId: `shopfloor browse` shows what there is.",
    ),
    Case(
        "not-readable",
        "access",
        "This user may not read Hidden (ns=2;s=CNC-01.Hidden).",
        "Give the user the right to read it, or leave it out.",
    ),
    Case(
        "value-bad",
        "values",
        "The value of Broken (ns=2;s=CNC-01.Broken) is bad: the server says BadSensorFailure.",
        "Look at the sensor or the device behind the server.",
    ),
    Case(
        "value-empty",
        "values",
        "Empty (ns=2;s=CNC-01.Empty) has no value yet.",
        "Let the machine or the program in the server write it once.",
    ),
    Case(
        "no-change",
        "changes",
        "Connected and subscribed, but nothing changed within 0.8 s; the newest value is {age} old.",
        "Check that the machine moves; a value that stands still is sent once, and again when it changes.",
        NOTE,
    ),
    Case(
        "server-paused",
        "changes",
        "The server does not run its program: its state is Suspended.",
        "Start the program at the server or the PLC.",
    ),
    Case(
        "sampling-slow",
        "changes",
        "The server looks at these variables only every 60 s.",
        "Shorten the sampling of the variables at the server, or wait longer.",
    ),
    Case(
        "clock-differs",
        "clock",
        "The clock of the server is 60 min ahead of this machine's.",
        "Let both take their time from the same source (NTP); values are stored with the server's time.",
    ),
    Case(
        "queue-shortened",
        "limits",
        "The server keeps 7 values of a variable while the link is busy, 500 were asked for.",
        "Raise the queue limit of the server, or let values come less often by 'sampling_interval'.",
        NOTE,
    ),
    Case(
        "tls-untrusted",
        "encryption",
        "The broker's certificate comes from an authority that is not trusted here.",
        "Name the file of that authority as 'ca_file'.",
    ),
    Case(
        "tls-host",
        "encryption",
        "The broker's certificate is for another host than 127.0.0.1.",
        "Write the name in the certificate into the address.",
    ),
    Case(
        "tls-expired",
        "encryption",
        "The broker's certificate has ended.",
        "Renew the certificate at the broker; check the clock of this machine.",
    ),
    Case(
        "tls-early",
        "encryption",
        "The broker's certificate is not valid yet.",
        "Set the clocks of the broker and of this machine.",
    ),
    Case(
        "tls-plain",
        "encryption",
        "Port {port} of 127.0.0.1 is the broker's port without encryption.",
        "Take its encrypted port, usually 8883; or write mqtt:// if the network is trusted.",
    ),
    Case(
        "tls-files",
        "encryption",
        "The certificate file /nowhere/ca.pem cannot be used (No such file or directory).",
        "'ca_file' is a PEM file of the broker's certificate authority.",
    ),
    Case(
        "client-certificate-needed",
        "broker",
        "The broker asks for a certificate of this client.",
        "Name 'certificate' and 'private_key' of an authority that the broker trusts.",
    ),
    Case(
        "not-encrypted",
        "encryption",
        "The connection is not encrypted: everybody on the network can read the values and the password.",
        "Write mqtts:// and the broker's encrypted port, usually 8883.",
        NOTE,
    ),
    Case(
        "not-authorised",
        "broker",
        "The broker 127.0.0.1 does not accept this user.",
        "Check 'user' and 'password_file'.",
    ),
    Case(
        "broker-login-needed",
        "broker",
        "The broker 127.0.0.1 does not let this client in, which names no user.",
        "Give 'user' and 'password_file'; some brokers allow certain 'client_id' only.",
        cause="login-needed",
    ),
    Case(
        "mqtt-version",
        "broker",
        "The broker 127.0.0.1 does not speak this version of MQTT.",
        "Leave 'version' out, or choose the other one.",
    ),
    Case(
        "client-id-refused",
        "broker",
        "The broker 127.0.0.1 does not accept the name of this client.",
        "Choose a 'client_id' that it allows.",
    ),
    Case(
        "subscription-refused",
        "subscription",
        "The broker does not let this user listen to secret/x.",
        "Give the user the right to read this topic at the broker, or correct the topic.",
    ),
    Case(
        "no-message",
        "messages",
        "No message came on plant/+ within 0.8 s.",
        "Check that the device publishes, the spelling of the topic, and this user's right to read it.",
    ),
    Case(
        "only-retained",
        "messages",
        "Only messages that the broker had kept came (1), no new one within 0.8 s.",
        "Check that the device runs and publishes.",
        NOTE,
    ),
    Case(
        "no-json",
        "content",
        "The message on plant/load is no JSON: it begins with b'17;18'.",
        "Let the device send JSON, or leave the topic out.",
    ),
    Case(
        "does-not-fit",
        "content",
        "The message on plant/load does not fit the plant file: the message has no key 'v'.",
        "Correct the topic, the paths or the tag of the source.",
    ),
    Case(
        "unit-silent",
        "protocol",
        "A Modbus gateway answers, and the device with unit 1 behind it does not.",
        "Check the 'unit', and the wiring and address of the device.",
    ),
    Case(
        "register-unknown",
        "protocol",
        "Unit 1 speaks Modbus, and has no holding register 0 (exception 2).",
        "Nothing, when the registers of the plant file are others.",
        NOTE,
    ),
    Case(
        "one-connection",
        "registers",
        "The device answered, and takes no second connection (The device modbus://127.0.0.1:{port} closed the link).",
        "End the other client, or the running gateway, and ask again.",
    ),
    Case(
        "register-refused",
        "registers",
        "2 registers cannot be read, the first is delta/water/hall/cell-1/pump-1/flow (input 900 of unit 2): illegal"
        " data address.",
        "Check 'address', which counts from 0, and 'table'.",
    ),
    Case(
        "orders-unknown",
        "registers",
        "Every register was read, and delta/water/hall/cell-1/pump-1/flow is 21.5.",
        "Compare one value of each type with the device's display: a wrong type or word order gives no error.",
        NOTE,
    ),
]

if __name__ == "__main__":
    sys.stdout.writelines(f"{row(case)}\n" for case in CASES)
