"""Asterisk with a trunk and two phones, by a configuration of its own; phones and callers are SIPp.

The trunk is whoever speaks from 127.0.0.2, the phones are at 127.0.0.1. Phone 21 answers at once, phone 22 is out.
Who calls outside shows the company's number, as dialplans have it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.world import free_port, program

TRUNK, PHONES = "127.0.0.2", "127.0.0.1"
SECRET = "of-a-test-only"
_MODULES = (
    *("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "res_pjproject"),
    *("res_pjsip", "res_pjsip_session", "res_pjsip_sdp_rtp", "res_pjsip_caller_id", "res_pjsip_header_funcs"),
    *(
        "res_pjsip_endpoint_identifier_ip",
        "res_pjsip_pubsub",
        "res_pjsip_outbound_publish",
        "res_rtp_asterisk",
    ),
    *(
        "chan_pjsip",
        "pbx_config",
        "app_dial",
        "app_userevent",
        "res_speech",
        "res_agi",
        "res_curl",
        "func_curl",
    ),
    *(
        "func_callerid",
        "func_logic",
        "func_uri",
        "codec_ulaw",
        "bridge_simple",
        "bridge_native_rtp",
        "bridge_holding",
    ),
)
_FILES = {
    "asterisk.conf": """[directories]
astetcdir => {etc}
astmoddir => {modules}
astdbdir => {etc}
astspooldir => {etc}
astrundir => {etc}
astlogdir => {etc}
[options]
verbose = 3
""",
    "logger.conf": "[logfiles]\nfull => notice,warning,error,verbose\n",
    "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in _MODULES),
    "manager.conf": """[general]
enabled = yes
bindaddr = 127.0.0.1
port = {manager}
[hub]
secret = {secret}
read = call
write =
[witness]
secret = {secret}
read = user
write =
""",
    "pjsip.conf": """[transport]
type = transport
protocol = udp
bind = 127.0.0.1:{sip}
[trunk]
type = endpoint
context = from-trunk
allow = !all,ulaw
direct_media = no
aors = trunk
trust_id_inbound = yes
[trunk]
type = aor
contact = sip:127.0.0.2:{away}
[trunk]
type = identify
endpoint = trunk
match = 127.0.0.2
[21]
type = endpoint
context = from-phones
allow = !all,ulaw
direct_media = no
aors = 21
[21]
type = aor
contact = sip:21@127.0.0.1:{phone}
[21]
type = identify
endpoint = 21
match = 127.0.0.1
[22]
type = endpoint
context = from-phones
allow = !all,ulaw
direct_media = no
aors = 22
[22]
type = aor
contact = sip:22@127.0.0.1:{nobody}
""",
    "extensions.conf": """[globals]
KEY = {key}
[from-trunk]
exten => _X.,1,AGI(agi://127.0.0.1:{agi}/lookup,${{KEY}},,${{PJSIP_HEADER(read,User-to-User)}})
 same => n,Set(CNAM=${{CURL({address}/cti/v1/cnam?number=${{URIENCODE(${{CALLERID(num)}})}}&key=${{KEY}})}})
 same => n,UserEvent(Told,AGI: ${{AGISTATUS}},CNAM: ${{CNAM}},Name: ${{CALLERID(name)}},Status: ${{HUB_STATUS}},{said})
 same => n,Dial(PJSIP/${{IF($["${{EXTEN:-1}}"="0"]?21:22)}},2)
 same => n,Hangup()
[from-phones]
exten => _X.,1,Set(CALLERID(num)=01174960100)
 same => n,Dial(PJSIP/${{EXTEN}}@trunk,5)
 same => n,Hangup()
""",
}
_SAID = ("Customer", "CUSTOMER_ID"), ("Brand", "BRAND"), ("Ticket", "OPEN_TICKET"), ("Token", "UUI")
_CALL = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="a call">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70
{more}Content-Type: application/sdp
Content-Length: [len]

v=0
o=caller 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
{end}
</scenario>
"""
_REPLY = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
Max-Forwards: 70
"""
_TALKED = f"""<recv response="200" rtd="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_REPLY}CSeq: 1 ACK
Content-Length: 0

]]></send>
<pause milliseconds="1000"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_REPLY}CSeq: 2 BYE
Content-Length: 0

]]></send>
<recv response="200"/>
"""
_GIVEN_UP = f"""<recv response="{{refusal}}"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_REPLY}CSeq: 1 ACK
Content-Length: 0

]]></send>
"""
NO_ANSWER = 603
"""What Asterisk replies to a caller when it hangs up a call that nobody took."""


@dataclass(frozen=True)
class Debian:
    """A folder with a Debian that has Asterisk and SIPp, as debootstrap makes it; "/" is the machine's own."""

    root: Path

    def words(self, name: str, *more: str) -> list[str]:
        inside = shutil.which(name, path=":".join(str(self.root / part) for part in ("usr/sbin", "usr/bin")))
        if inside is None:
            raise AssertionError(f"{self.root} has no {name}: `make test-asterisk` puts it there")
        started = "/" + str(Path(inside).relative_to(self.root))
        return [*([] if self.root == Path("/") else ["chroot", str(self.root)]), started, *more]

    def inside(self, path: Path) -> str:
        return "/" + str(path.relative_to(self.root))


@dataclass(frozen=True)
class Ports:
    """What listens where on loopback."""

    sip: int
    manager: int
    phone: int
    away: int
    nobody: int


@dataclass
class Switch:
    """The running Asterisk."""

    debian: Debian
    folder: Path
    ports: Ports

    def call(
        self, caller: str, dialled: str, *, by: str = TRUNK, token: str = "", answered: bool = True
    ) -> None:
        """Make a call and see it through: a second of talk, or as long as a phone rings that nobody takes."""
        more = f"User-to-User: {token}\n" if token else ""
        end = _TALKED if answered else _GIVEN_UP.replace("{refusal}", str(NO_ANSWER))
        scenario = self.folder / "call.xml"
        scenario.write_text(_CALL.replace("{end}", end).replace("{caller}", caller).replace("{more}", more))
        said = subprocess.run(
            self.debian.words(
                *("sipp", f"127.0.0.1:{self.ports.sip}", "-sf", self.debian.inside(scenario), "-s", dialled),
                *("-m", "1", "-i", by, "-nostdin", "-timeout", "20", "-timeout_error"),
            ),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.returncode == 0, said.stderr[-1500:] + self.log()[-1500:]

    def log(self) -> str:
        return (self.folder / "full").read_text()

    def heard_by_phone(self) -> str:
        """All SIP messages that phone 21 saw."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("phone*messages.log")))


@contextmanager
def running(debian: Debian, key: str, agi: int, address: str) -> Iterator[Switch]:
    """An Asterisk that asks the hub by FastAGI at the port `agi` and by CNAM at the address."""
    ports = Ports(*(free_port() for _ in range(5)))
    folder = debian.root / "hub-test"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    modules = next(debian.root.glob("usr/lib/*/asterisk/modules"))
    said = ",".join(f"{name}: ${{HUB_{variable}}}" for name, variable in _SAID)
    for name, text in _FILES.items():
        filled = text.format(
            **vars(ports),
            etc=debian.inside(folder),
            modules=debian.inside(modules),
            secret=SECRET,
            key=key,
            agi=agi,
            address=address,
            said=said,
        )
        (folder / name).write_text(filled)
    answering = [
        _phone(debian, folder, "phone", PHONES, ports.phone),
        _phone(debian, folder, "away", TRUNK, ports.away),
    ]
    asterisk = debian.words("asterisk", "-f", "-C", debian.inside(folder / "asterisk.conf"))
    try:
        with program(asterisk, ports.manager, folder / "out"):
            switch = Switch(debian, folder, ports)
            while "Asterisk Ready" not in switch.log():
                time.sleep(0.1)
            yield switch
    finally:
        for each in answering:
            each.kill()
            each.wait()


def _phone(debian: Debian, folder: Path, name: str, host: str, port: int) -> subprocess.Popen[bytes]:
    """A phone that takes every call."""
    log = debian.inside(folder / f"{name}_messages.log")
    words = debian.words(
        *("sipp", "-sn", "uas", "-i", host, "-p", str(port), "-nostdin", "-trace_msg", "-message_file", log)
    )
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Witness:
    """A user of the manager interface who reads what the dialplan tells."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._file = self._socket.makefile("r", encoding="utf-8", newline="\r\n")
        self._socket.sendall(f"Action: Login\r\nUsername: witness\r\nSecret: {SECRET}\r\n\r\n".encode())

    def told(self) -> dict[str, str]:
        """What the dialplan knew of the next call before it rang anybody."""
        while True:
            lines = iter(lambda: self._file.readline().strip(), "")
            pairs = (line.partition(":") for line in lines)
            message = {name: value.strip() for name, _, value in pairs}
            if message.get("UserEvent") == "Told":
                return message

    def close(self) -> None:
        self._file.close()
        self._socket.close()
