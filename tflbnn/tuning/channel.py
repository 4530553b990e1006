"""Messages between a chief and its workers: JSON over gRPC, one method. Data only, nothing in a message is executed.

The channel has no authentication and no encryption: whoever reaches the port may take trials and report results. So it
is bound to this machine unless an address says otherwise; across machines, use a network that you trust, or a tunnel.

The environment variables are Keras Tuner's: KERASTUNER_TUNER_ID ("chief" or the worker's own name),
KERASTUNER_ORACLE_IP, KERASTUNER_ORACLE_PORT.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from concurrent import futures
from typing import Any

from tflbnn.errors import INSTALL_TRAIN, UserError

try:
    import grpc
except ModuleNotFoundError as error:
    raise UserError(f"Workers need the package grpc, which is not installed. {INSTALL_TRAIN}") from error

LOOPBACK = "127.0.0.1"
_SERVICE, _METHOD = "tflbnn.Search", "Call"
_THREADS = 16
Message = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Role:
    """What the environment says that this process is."""

    name: str
    address: str

    @property
    def is_chief(self) -> bool:
        return "chief" in self.name


def role(environment: Mapping[str, str] = os.environ) -> Role | None:
    """The role of this process in a search across machines; None where it is not told one.

    >>> role({"KERASTUNER_TUNER_ID": "chief", "KERASTUNER_ORACLE_IP": "10.0.0.7", "KERASTUNER_ORACLE_PORT": "8000"})
    Role(name='chief', address='10.0.0.7:8000')

    Raises:
        UserError: some variables are set and others not.
    """
    names = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")
    found = {name: environment[name] for name in names if environment.get(name)}
    if not found:
        return None
    if len(found) < len(names) or not found[names[2]].isdigit():
        raise UserError(
            f"A search across machines needs {', '.join(names)}, the last one a number. "
            f"Received: {', '.join(f'{name}={value}' for name, value in found.items())}. Set all three or none."
        )
    return Role(found[names[0]], f"{found[names[1]]}:{found[names[2]]}")


class Server:
    """Answers messages until it is closed, several at a time.

    Args:
        answer: the reply to a message; called from several threads.
        address: host and port; port 0 takes a free one.

    Raises:
        UserError: the address is taken or not this machine's.
    """

    def __init__(self, answer: Callable[[Message], Message], address: str) -> None:
        def handle(request: bytes, context: Any) -> bytes:
            return json.dumps(answer(json.loads(request))).encode()

        self._server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=(("grpc.so_reuseport", 0),))
        method = grpc.unary_unary_rpc_method_handler(handle)
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {_METHOD: method}),))
        host, _, port = address.rpartition(":")
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError:
            bound = 0
        if not bound:
            raise UserError(
                f"The chief needs a free port of an address of this machine. Received: {address}. "
                "Choose another port, or wait for the process that has it."
            )
        self.address = f"{host}:{bound if port == '0' else port}"
        self._server.start()

    def close(self) -> None:
        self._server.stop(1).wait()


class Client:
    """Sends messages to a chief.

    Args:
        address: of the chief.
        patience: seconds to wait for it.
    """

    def __init__(self, address: str, patience: float = 60.0) -> None:
        self.address, self.patience = address, patience
        self._channel = grpc.insecure_channel(address)
        self._call = self._channel.unary_unary(f"/{_SERVICE}/{_METHOD}")

    def send(self, method: str, **values: Any) -> Message:
        """The chief's reply.

        Raises:
            UserError: it does not answer.
        """
        message = json.dumps({"method": method, **values}).encode()
        try:
            return json.loads(self._call(message, timeout=self.patience, wait_for_ready=True))
        except grpc.RpcError as error:
            raise UserError(
                f"A worker needs its chief. Received: no answer from {self.address} ({error.code().name.lower()}). "
                "Start the chief, or check KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT."
            ) from error
