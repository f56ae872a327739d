"""The connection over TLS.

Secure by default: the chain and the name of the host are verified, against the system's authorities where none are
given.  One context serves all connections of a pool, for making one takes 20 ms.  The module ``ssl`` is loaded with the
first TLS connection, and not before.  It must not know more than that: all else is ``tcp.py``'s.
"""

from __future__ import annotations

import importlib
import importlib.util
import socket
from typing import TYPE_CHECKING, Any, ClassVar

from redis.connection.deadline import in_time
from redis.connection.outcome import SECURING, NotSent, is_foreign
from redis.connection.tcp import Connection
from redis.exceptions import RedisError
from redis.protocol.encoder import Buffer
from redis.protocol.masking import hide_text

if TYPE_CHECKING:
    import ssl

ssl_available = importlib.util.find_spec("_ssl") is not None

CERT_REQS: dict[str | int | None, str] = {
    None: "CERT_REQUIRED",
    "none": "CERT_NONE",
    "optional": "CERT_OPTIONAL",
    "required": "CERT_REQUIRED",
    0: "CERT_NONE",
    1: "CERT_OPTIONAL",
    2: "CERT_REQUIRED",
}


def load_ssl() -> Any:
    """Return the module ``ssl``, the one import that is put off until it is needed."""
    return importlib.import_module("ssl")


class SSLConnection(Connection):
    """A connection over TCP and TLS."""

    description_format: ClassVar[str] = "SSLConnection<host=%(host)s,port=%(port)s,db=%(db)s>"
    send_flags: ClassVar[int] = 0  # an SSLSocket takes none

    def __init__(
        self,
        ssl_keyfile: str | None = None,
        ssl_certfile: str | None = None,
        ssl_cert_reqs: str | int | None = None,
        ssl_ca_certs: str | None = None,
        *,
        ssl_ca_path: str | None = None,
        ssl_ca_data: str | bytes | None = None,
        ssl_check_hostname: bool | None = None,
        ssl_password: str | None = None,
        ssl_min_version: int | None = None,
        ssl_ciphers: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        ssl_shared: list[Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.cert_reqs = checked_cert_reqs(ssl_cert_reqs)
        self.check_hostname = self.cert_reqs != "CERT_NONE" if ssl_check_hostname is None else ssl_check_hostname
        self.certificate = (ssl_certfile, ssl_keyfile, ssl_password)
        self.authorities = {"cafile": ssl_ca_certs, "capath": ssl_ca_path}
        self.authority_data = ssl_ca_data
        self.min_version, self.ciphers = ssl_min_version, ssl_ciphers
        self._contexts = [ssl_context] if ssl_context is not None else [] if ssl_shared is None else ssl_shared

    @classmethod
    def shared_options(cls) -> dict[str, Any]:
        """What the connections of one pool share: the place of their context."""
        return {"ssl_shared": []}

    def _connect(self) -> socket.socket:
        sock = super()._connect()
        try:
            with SECURING:
                sock.settimeout(in_time(self.socket_connect_timeout))
                context = self._context()
                name = server_name(self.host, context)
                # In two steps: who wraps and shakes hands in one leaves the socket open when it is interrupted.
                sock = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
                sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock

    def _greet(self, sock: socket.socket) -> None:
        """As over TCP; with TLS 1.3 it is only now that the server says what it thinks of our certificate."""
        try:
            super()._greet(sock)
        except OSError as error:
            if is_foreign(error):
                raise
            alert = error if is_alert(error) else last_alert(sock)
            if alert is None:
                raise
            raise NotSent("tls") from alert

    def _send_buffers(self, buffers: list[Buffer]) -> None:
        for buffer in buffers:  # TLS has no sendmsg
            self._send_all(buffer)

    def _context(self) -> ssl.SSLContext:
        """The context of the pool; the first connection makes it."""
        if not self._contexts:
            try:
                self._contexts.append(self._make_context())
            except OSError as error:
                if is_foreign(error):
                    raise
                named = [name for name in (*self.authorities.values(), *self.certificate[:2]) if isinstance(name, str)]
                files = ["a key or a certificate, not its path" if "-----BEGIN" in name else name for name in named]
                raise RedisError(f"the TLS options cannot be used ({', '.join(files)}): {error}") from error
            except UnicodeEncodeError as error:  # of the password
                hide_text(error)
                raise
        context: ssl.SSLContext = self._contexts[0]
        return context

    def _make_context(self) -> ssl.SSLContext:
        ssl = load_ssl()
        context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.check_hostname and self.cert_reqs != "CERT_NONE"
        context.verify_mode = getattr(ssl, self.cert_reqs)
        if self.authority_data or any(self.authorities.values()):
            context.load_verify_locations(**self.authorities, cadata=self.authority_data)
        elif self.cert_reqs != "CERT_NONE":
            context.load_default_certs()
        certfile, keyfile, password = self.certificate
        if certfile or keyfile:
            context.load_cert_chain(certfile or keyfile, keyfile, password)
        if self.min_version is not None:
            context.minimum_version = self.min_version
        if self.ciphers is not None:
            context.set_ciphers(self.ciphers)
        return context


def server_name(host: str, context: ssl.SSLContext) -> str | bytes:
    """The name that is verified: bytes, as of :func:`ascii_host`, but for the contexts of others; gevent's take str."""
    name = host.encode("ascii" if host.isascii() else "idna")
    return name if type(context).__module__ == "ssl" else name.decode()


def is_alert(error: OSError) -> bool:
    """Whether this is what the other side had to say of the TLS connection."""
    return "_ALERT_" in (getattr(error, "reason", None) or "")


def last_alert(sock: socket.socket) -> OSError | None:
    """The alert that came before the end, where the end was noticed in sending; None where none came."""
    try:
        sock.settimeout(0)
        sock.recv(1)
    except OSError as error:
        return error if is_alert(error) else None
    return None


def checked_cert_reqs(value: str | int | None) -> str:
    """The name that the module ``ssl`` has for ``"none"``, ``"optional"``, ``"required"`` or its own numbers."""
    try:
        return CERT_REQS[value]
    except KeyError:
        raise ValueError(f"ssl_cert_reqs is {value!r}; it takes 'none', 'optional' or 'required'") from None
